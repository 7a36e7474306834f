-- The good lines whose customer is known become billing lines. Of a line known already the
-- later file wins; one that says the same stays as it is. Each line is written by the half it
-- belongs to: ON CONFLICT would look every new one up once more. If somebody else is faster,
-- the key refuses it and the file is tried again.
WITH changed AS (
  UPDATE saas.billing_lines o
  SET external_ref = b.customer_ref, plan = b.plan, seats = b.seats,
      period_start = b.period_start, period_end = b.period_end,
      amount = b.amount, currency = b.currency, status = b.status,
      paid_at = b.paid_at, source_sha256 = :'sha'::text
  FROM pg_temp.staged_lines b
  JOIN pg_temp.staged_customers c ON c.customer_ref = b.customer_ref
  WHERE o.account_id = c.account_id AND o.invoice_number = b.invoice_number
    AND o.line_number = b.line_number
    AND (o.external_ref, o.plan, o.seats, o.period_start, o.period_end, o.amount, o.currency,
         o.status, o.paid_at)
        IS DISTINCT FROM
        (b.customer_ref, b.plan, b.seats, b.period_start, b.period_end, b.amount, b.currency,
         b.status, b.paid_at)
  RETURNING o.account_id
),
new AS (
  INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, external_ref, plan, seats,
                                  period_start, period_end, amount, currency, status, paid_at,
                                  source_sha256)
  SELECT c.account_id, b.invoice_number, b.line_number, b.customer_ref, b.plan, b.seats,
         b.period_start, b.period_end, b.amount, b.currency, b.status, b.paid_at, :'sha'::text
  FROM pg_temp.staged_lines b
  JOIN pg_temp.staged_customers c ON c.customer_ref = b.customer_ref
  WHERE c.account_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM saas.billing_lines o
      WHERE o.account_id = c.account_id AND o.invoice_number = b.invoice_number
        AND o.line_number = b.line_number)
  RETURNING account_id
)
SELECT (SELECT count(*) FROM new) AS new, (SELECT count(*) FROM changed) AS changed
