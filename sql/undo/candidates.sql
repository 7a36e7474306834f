-- What the job looks at: the rows that the run changed.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM lapse.changes s
WHERE s.run_id = :'undo_run'::bigint
  AND
  --include account-range
