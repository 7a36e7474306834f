-- The money at stake, by band and currency: seats x the price of one, where both are known, else what the
-- newest period of that plan was billed. One that is cancelled at its end is not at stake.
WITH
--include renewals
,
billed AS (
  SELECT b.account_id, b.subscription_id, sum(b.amount) AS amount, min(b.currency) AS currency
  FROM (
    SELECT r.account_id, r.subscription_id, l.amount, l.currency,
           rank() OVER (PARTITION BY r.account_id, r.subscription_id
                        ORDER BY l.period_start DESC) AS age
    FROM renewals r
    JOIN saas.billing_lines l ON l.account_id = r.account_id
    WHERE l.status <> 'void' AND l.period_start <= :'as_of'::timestamptz
      AND (l.plan IS NULL OR l.plan = r.plan)
  ) b
  WHERE b.age = 1
  GROUP BY b.account_id, b.subscription_id
  HAVING count(DISTINCT b.currency) = 1 AND count(b.currency) = count(*)
     AND count(b.amount) = count(*)
),
priced AS (
  SELECT r.band, r.cancelled, o.by_seats,
         CASE WHEN o.by_seats THEN r.seats::numeric * r.unit_amount ELSE b.amount END AS amount,
         CASE WHEN o.by_seats THEN r.currency ELSE b.currency END AS currency
  FROM renewals r
  CROSS JOIN LATERAL (
    SELECT r.seats >= 0 AND r.unit_amount IS NOT NULL AND r.currency IS NOT NULL AS by_seats
  ) o
  LEFT JOIN billed b ON b.account_id = r.account_id AND b.subscription_id = r.subscription_id
),
at_stake AS (
  SELECT k.band, k.currency, sum(k.amount) AS amount, min(e.decimals) AS decimals
  FROM priced k
  CROSS JOIN LATERAL (
    SELECT
    --include currency-exponent
    AS decimals
  ) e
  WHERE NOT k.cancelled AND k.amount IS NOT NULL
  GROUP BY k.band, k.currency
)
SELECT f.label, f.value
FROM (
  SELECT array_position('{overdue,within 30 days,31 to 60 days,61 to 90 days}', s.band) AS place,
         'At stake, ' || s.band || ', ' || s.currency AS label,
         round(s.amount / power(10::numeric, s.decimals), s.decimals) AS value
  FROM at_stake s
  UNION ALL
  SELECT 5, 'Without a known price',
         count(*) FILTER (WHERE NOT p.cancelled AND p.amount IS NULL)::numeric
  FROM priced p
  UNION ALL
  SELECT 6, 'Cancelled, not at stake', count(*) FILTER (WHERE p.cancelled)::numeric
  FROM priced p
) f
ORDER BY f.place, f.label COLLATE "C"
