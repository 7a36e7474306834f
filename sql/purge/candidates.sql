-- What the job looks at: details of activity that are past their time.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM (
  --include details-due
) d
