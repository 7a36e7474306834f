-- Where the file has no line numbers, an invoice's lines are numbered as they stand.
WITH numbered AS (
  SELECT b.line, row_number() OVER (PARTITION BY b.invoice_number ORDER BY b.line) AS number
  FROM pg_temp.staged_lines b
  WHERE b.reason IS NULL
    AND :'column_line_number'::text = ''
),
marked AS (
  UPDATE pg_temp.staged_lines b
  SET line_number = n.number
  FROM numbered n
  WHERE :'column_line_number'::text = '' AND b.line = n.line
  RETURNING b.line
)
SELECT count(*) AS marked FROM marked
