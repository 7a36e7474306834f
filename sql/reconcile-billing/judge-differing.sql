-- What stands more than once and says the same is one line; what says something else is bad,
-- and its reason names both lines.
WITH compared AS (
  SELECT b.line, f.line AS first, f.invoice_number, f.line_number,
         CASE WHEN b.amount <> f.amount THEN 'amount'
              WHEN b.currency <> f.currency THEN 'currency'
              WHEN b.customer_ref <> f.customer_ref THEN 'customer_ref'
              WHEN b.status <> f.status THEN 'status'
              WHEN b.plan IS DISTINCT FROM f.plan THEN 'plan'
              WHEN b.seats IS DISTINCT FROM f.seats THEN 'seats'
              WHEN b.period_start <> f.period_start THEN 'period_start'
              WHEN b.period_end <> f.period_end THEN 'period_end'
              WHEN b.paid_at IS DISTINCT FROM f.paid_at THEN 'paid_at' END AS differs
  FROM pg_temp.staged_lines b
  JOIN pg_temp.staged_lines f
    ON f.invoice_number = b.invoice_number AND f.line_number = b.line_number
   AND NOT f.repeated AND f.reason IS NULL
  WHERE b.repeated
    AND :'repeats'::bigint > 0
    AND EXISTS (SELECT FROM pg_temp.staged_lines r WHERE r.repeated)
),
places AS (
  SELECT p.field, p.at, p.heading
  FROM (VALUES
    ('amount', :'at_amount'::integer, :'heading_amount'::text),
    ('currency', :'at_currency'::integer, :'heading_currency'::text),
    ('customer_ref', :'at_customer_ref'::integer, :'heading_customer_ref'::text),
    ('status', :'at_status'::integer, :'heading_status'::text),
    ('plan', :'at_plan'::integer, :'heading_plan'::text),
    ('seats', :'at_seats'::integer, :'heading_seats'::text),
    ('period_start', :'at_period_start'::integer, :'heading_period_start'::text),
    ('period_end', :'at_period_end'::integer, :'heading_period_end'::text),
    ('paid_at', :'at_paid_at'::integer, :'heading_paid_at'::text)) AS p (field, at, heading)
),
marked AS (
  UPDATE pg_temp.staged_lines b
  SET repeated = false, at = p.at, heading = p.heading,
      reason = 'is not what line ' || c.first || ' says, which is invoice '
               || left(c.invoice_number, 60) || ', line ' || c.line_number || ' as well'
  FROM compared c
  JOIN places p ON p.field = c.differs
  WHERE b.line = c.line
  RETURNING b.line
)
SELECT count(*) AS marked FROM marked
