-- The runs there were of a plan, as it was carried out, broken off and gone on with.
SELECT r.run_id, r.job, r.state
FROM lapse.runs r
WHERE r.options ->> 'plan' = :'plan'::text
ORDER BY r.run_id
