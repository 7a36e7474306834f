-- Seals a batch: its digest is SHA-256 over the previous digest and its audit rows, ordered by
-- account_id and change_id, columns in table order, NULL as \N, tab-separated, one per line.
WITH body AS (
  SELECT count(*) AS rows, min(c.account_id) AS first_account, max(c.account_id) AS last_account,
         coalesce(string_agg(
           --include audit-line
           , '' ORDER BY c.account_id, c.change_id), '') AS text
  FROM lapse.changes c
  WHERE c.run_id = :'run_id'::bigint AND c.batch_no = :'batch_no'::integer
),
sealed AS (
  INSERT INTO lapse.batches (run_id, batch_no, chain_no, first_account, last_account, rows, digest,
                             previous)
  SELECT :'run_id'::bigint, :'batch_no'::integer, :'chain_no'::bigint, b.first_account,
         b.last_account, b.rows,
         encode(sha256(convert_to(:'previous'::text || E'\n' || b.text, 'UTF8')), 'hex'),
         :'previous'::text
  FROM body b
  RETURNING digest
)
UPDATE lapse.chain_head
SET digest = s.digest
FROM sealed s
RETURNING s.digest
