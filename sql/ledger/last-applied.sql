-- Up to when a job has been done.
SELECT extract(epoch FROM p.as_of)::bigint AS as_of
FROM lapse.periods p
WHERE p.job = :'job'::text
