-- Every batch of the chain, with what its rows give when they are digested anew.
SELECT b.chain_no, b.run_id, b.batch_no, b.rows, b.digest, b.previous, n.rows AS found,
       encode(sha256(convert_to(b.previous || E'\n' || n.text, 'UTF8')), 'hex') AS recomputed
FROM lapse.batches b
CROSS JOIN LATERAL (
  SELECT count(*) AS rows,
         coalesce(string_agg(
           --include audit-line
           , '' ORDER BY c.account_id, c.change_id), '') AS text
  FROM lapse.changes c
  WHERE c.run_id = b.run_id AND c.batch_no = b.batch_no
) n
ORDER BY b.chain_no
