-- All changes of a run are made; what is left is its report. A run over some accounts only, as of a plan,
-- does not move the job's period.
WITH done AS (
  UPDATE lapse.runs
  SET state = 'applied',
      changes_digest = (SELECT b.digest FROM lapse.batches b WHERE b.run_id = :'run_id'::bigint
                        ORDER BY b.batch_no DESC LIMIT 1)
  WHERE run_id = :'run_id'::bigint
    AND attempt = :'attempt'::integer
    AND state IN ('running', 'applied')
  RETURNING run_id, job, as_of, options ?| '{accounts,plan}' AS partial
),
period AS (
  INSERT INTO lapse.periods AS p (job, as_of, run_id)
  SELECT d.job, d.as_of, d.run_id
  FROM done d
  WHERE NOT d.partial
  ON CONFLICT (job) DO UPDATE SET as_of = excluded.as_of, run_id = excluded.run_id
  WHERE p.as_of < excluded.as_of
)
SELECT run_id FROM done
