-- Whether this run has imported the file already, before it was killed.
SELECT count(*) AS files
FROM lapse.billing_files f
WHERE f.run_id = :'run_id'::bigint AND f.name = :'file'::text
