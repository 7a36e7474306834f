-- What the chain does not hold together: audit rows of no batch, and runs whose last batch is gone.
SELECT s.run_id, s.finding
FROM (
  SELECT c.run_id, count(*) || ' audit rows belong to no batch of the chain' AS finding
  FROM lapse.changes c
  WHERE NOT EXISTS (
    SELECT FROM lapse.batches b WHERE b.run_id = c.run_id AND b.batch_no = c.batch_no)
  GROUP BY c.run_id
  UNION ALL
  SELECT r.run_id, 'its last batch is missing from the chain'
  FROM lapse.runs r
  WHERE r.changes_digest IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM lapse.batches b WHERE b.run_id = r.run_id AND b.digest = r.changes_digest)
) s
ORDER BY s.run_id, s.finding
