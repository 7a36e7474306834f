-- One line of an invoice that stands more than once in the file: all but the first are marked.
-- Only those are looked at that have the key of one which may repeat another.
WITH suspected AS (
  SELECT DISTINCT b.invoice_number, b.line_number
  FROM pg_temp.staged_lines b
  WHERE :'repeats'::bigint > 0 AND b.repeats
),
numbered AS (
  SELECT b.line,
         row_number() OVER (PARTITION BY b.invoice_number COLLATE "C", b.line_number
                            ORDER BY b.line) AS number
  FROM pg_temp.staged_lines b
  JOIN suspected s ON s.invoice_number = b.invoice_number AND s.line_number = b.line_number
  WHERE b.reason IS NULL
),
marked AS (
  UPDATE pg_temp.staged_lines b
  SET repeated = true
  FROM numbered n
  WHERE :'repeats'::bigint > 0 AND n.number > 1 AND b.line = n.line
  RETURNING b.line
)
SELECT count(*) AS marked FROM marked
