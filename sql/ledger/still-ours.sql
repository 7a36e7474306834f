-- Whether a run is still this process', so that one that was overtaken publishes nothing.
SELECT count(*) AS ours
FROM lapse.runs r
WHERE r.run_id = :'run_id'::bigint AND r.attempt = :'attempt'::integer
