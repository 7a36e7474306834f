-- One line of an invoice that stands more than once in the file: all but the first are marked.
WITH numbered AS (
  SELECT b.line,
         row_number() OVER (PARTITION BY b.invoice_number COLLATE "C", b.line_number
                            ORDER BY b.line) AS number
  FROM lapse.billing_staged b
  WHERE b.reason IS NULL
),
marked AS (
  UPDATE lapse.billing_staged b
  SET repeated = true
  FROM numbered n
  WHERE n.number > 1 AND b.line = n.line
  RETURNING b.line
)
SELECT count(*) AS marked FROM marked
