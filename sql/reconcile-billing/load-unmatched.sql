-- B1: the good lines of a customer who is not known here, or stands in several accounts, are
-- kept apart; those whose customer is known by now leave.
WITH known_now AS (
  DELETE FROM lapse.billing_unmatched u
  USING pg_temp.staged_lines b
  JOIN pg_temp.staged_customers c ON c.customer_ref = b.customer_ref
  WHERE c.account_id IS NOT NULL
    AND u.invoice_number = b.invoice_number AND u.line_number = b.line_number
),
written AS (
  INSERT INTO lapse.billing_unmatched (invoice_number, line_number, customer_ref, accounts, plan,
                                       seats, period_start, period_end, amount, currency, status,
                                       paid_at, source_sha256)
  SELECT b.invoice_number, b.line_number, b.customer_ref, c.accounts, b.plan, b.seats,
         b.period_start, b.period_end, b.amount, b.currency, b.status, b.paid_at, :'sha'::text
  FROM pg_temp.staged_lines b
  JOIN pg_temp.staged_customers c ON c.customer_ref = b.customer_ref
  WHERE c.account_id IS NULL
  ON CONFLICT (invoice_number, line_number) DO UPDATE
  SET customer_ref = excluded.customer_ref, accounts = excluded.accounts, plan = excluded.plan,
      seats = excluded.seats, period_start = excluded.period_start,
      period_end = excluded.period_end, amount = excluded.amount, currency = excluded.currency,
      status = excluded.status, paid_at = excluded.paid_at, source_sha256 = excluded.source_sha256
  RETURNING invoice_number
)
SELECT count(*) AS unmatched FROM written
