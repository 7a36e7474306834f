-- How a job stands: its last run, up to when it has been done, when it is due again, and for how many
-- periods it has been missed since.
SELECT r.run_id, r.as_of, r.finished_at, r.state, r.status, r.message, d.done_to,
       d.done_to + :'every'::interval AS next_due,
       clock_timestamp() > d.done_to + :'every'::interval + :'deadline'::interval AS late,
       greatest(floor(extract(epoch FROM clock_timestamp() - d.done_to)
                      / extract(epoch FROM :'every'::interval)) - 1, 0)::bigint AS missed
FROM (
  SELECT greatest(
    (SELECT p.as_of FROM lapse.periods p WHERE p.job = :'job'::text),
    (SELECT max(l.as_of) FROM lapse.runs l
     WHERE l.job = :'job'::text AND l.state = 'done' AND NOT l.options ?| '{accounts,plan}')) AS done_to
) d
LEFT JOIN LATERAL (
  SELECT l.run_id, l.as_of, l.finished_at, l.state, l.status, l.message
  FROM lapse.runs l
  WHERE l.job = :'job'::text
  ORDER BY l.run_id DESC
  LIMIT 1
) r ON true
