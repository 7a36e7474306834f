-- Whether a plan was carried out already: when, and by which runs.
SELECT p.applied_at, array_to_string(p.run_ids, ', ') AS run_ids
FROM lapse.plans p
WHERE p.sha256 = :'plan'::text
