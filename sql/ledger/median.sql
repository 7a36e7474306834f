-- How many full runs of a job there were lately, and how many due rows they took, by their median.
SELECT count(*) AS runs, coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY l.done), 0) AS median
FROM (
  SELECT coalesce((r.counters ->> 'done')::bigint, (r.counters ->> 'due')::bigint, 0) AS done
  FROM lapse.runs r
  WHERE r.job = :'job'::text
    AND r.state = 'done'
    AND NOT r.options ?| '{accounts,plan}'
  ORDER BY r.run_id DESC
  LIMIT 30
) l
