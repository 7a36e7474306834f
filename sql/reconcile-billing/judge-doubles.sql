-- One line of an invoice that stands twice in the file: said alike it is one line; said differently the
-- later one is bad, and both are named.
WITH doubled AS (
  SELECT b.invoice_number, b.line_number, min(b.line) AS first
  FROM lapse.billing_staged b
  WHERE b.reason IS NULL
  GROUP BY b.invoice_number, b.line_number
  HAVING count(*) > 1
),
compared AS (
  SELECT b.line, d.first, d.invoice_number, d.line_number,
         CASE WHEN b.amount <> f.amount THEN 'amount'
              WHEN b.currency <> f.currency THEN 'currency'
              WHEN b.customer_ref <> f.customer_ref THEN 'customer_ref'
              WHEN b.status <> f.status THEN 'status'
              WHEN b.plan IS DISTINCT FROM f.plan THEN 'plan'
              WHEN b.seats IS DISTINCT FROM f.seats THEN 'seats'
              WHEN b.period_start <> f.period_start THEN 'period_start'
              WHEN b.period_end <> f.period_end THEN 'period_end'
              WHEN b.paid_at IS DISTINCT FROM f.paid_at THEN 'paid_at' END AS differs
  FROM doubled d
  JOIN lapse.billing_staged f ON f.line = d.first
  JOIN lapse.billing_staged b
    ON b.reason IS NULL AND b.line > d.first
   AND b.invoice_number = d.invoice_number AND b.line_number = d.line_number
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
  UPDATE lapse.billing_staged b
  SET repeated = c.differs IS NULL, at = p.at, heading = p.heading,
      reason = CASE WHEN c.differs IS NOT NULL THEN 'is not what line ' || c.first || ' says, which is invoice '
               || left(c.invoice_number, 60) || ', line ' || c.line_number || ' as well' END
  FROM compared c
  LEFT JOIN places p ON p.field = c.differs
  WHERE b.line = c.line
  RETURNING b.line
)
SELECT count(*) AS marked FROM marked
