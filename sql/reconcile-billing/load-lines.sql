-- The good lines whose customer is known become billing lines. Of a line known already the later file
-- wins; one that says the same stays as it is.
WITH
--include billing-customers
,
matched AS (
  SELECT c.account_id, b.invoice_number, b.line_number, b.customer_ref, b.plan, b.seats,
         b.period_start, b.period_end, b.amount, b.currency, b.status, b.paid_at,
         o.account_id IS NOT NULL AS is_known
  FROM lapse.billing_staged b
  JOIN customers c ON c.customer_ref = b.customer_ref AND c.accounts = 1
  LEFT JOIN saas.billing_lines o
    ON o.account_id = c.account_id AND o.invoice_number = b.invoice_number
   AND o.line_number = b.line_number
  WHERE o.account_id IS NULL
     OR (o.external_ref, o.plan, o.seats, o.period_start, o.period_end, o.amount, o.currency,
         o.status, o.paid_at)
        IS DISTINCT FROM
        (b.customer_ref, b.plan, b.seats, b.period_start, b.period_end, b.amount, b.currency,
         b.status, b.paid_at)
),
written AS (
  INSERT INTO saas.billing_lines AS l (account_id, invoice_number, line_number, external_ref, plan,
                                       seats, period_start, period_end, amount, currency, status,
                                       paid_at, source_sha256)
  SELECT m.account_id, m.invoice_number, m.line_number, m.customer_ref, m.plan, m.seats,
         m.period_start, m.period_end, m.amount, m.currency, m.status, m.paid_at, :'sha'::text
  FROM matched m
  ON CONFLICT (account_id, invoice_number, line_number) DO UPDATE
  SET external_ref = excluded.external_ref, plan = excluded.plan, seats = excluded.seats,
      period_start = excluded.period_start, period_end = excluded.period_end,
      amount = excluded.amount, currency = excluded.currency, status = excluded.status,
      paid_at = excluded.paid_at, source_sha256 = excluded.source_sha256
)
SELECT count(*) FILTER (WHERE NOT m.is_known) AS new,
       count(*) FILTER (WHERE m.is_known) AS changed
FROM matched m
