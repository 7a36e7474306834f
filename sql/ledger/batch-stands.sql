-- Whether a batch whose commit was not answered stands.
SELECT count(*) AS stands
FROM lapse.batches b
WHERE b.run_id = :'run_id'::bigint AND b.batch_no = :'batch_no'::integer
