-- Up to when a job (NULL: the latest of all) has been done; no row where it never was.
SELECT extract(epoch FROM max(p.as_of))::bigint AS as_of
FROM lapse.periods p
WHERE :'job'::text IS NULL OR p.job = :'job'::text
HAVING max(p.as_of) IS NOT NULL
