-- The money at stake, by band and currency: seats x the price of one, where both are known, else what the
-- newest period of that plan was billed. One that is cancelled at its end is not at stake.
WITH
--include renewals
,
priced AS (
  SELECT r.band, r.cancelled,
         CASE WHEN o.by_seats THEN r.seats::numeric * r.unit_amount ELSE b.amount END AS amount,
         CASE WHEN o.by_seats THEN r.currency ELSE b.currency END AS currency
  FROM renewals r
  CROSS JOIN LATERAL (
    SELECT coalesce(r.seats >= 0, false) AND r.unit_amount IS NOT NULL AND r.currency IS NOT NULL
             AS by_seats
  ) o
  LEFT JOIN LATERAL (
    SELECT sum(n.amount) AS amount, min(n.currency) AS currency
    FROM (
      SELECT l.amount, l.currency, rank() OVER (ORDER BY l.period_start DESC) AS age
      FROM saas.billing_lines l
      WHERE l.account_id = r.account_id AND l.status <> 'void'
        AND l.period_start <= :'as_of'::timestamptz
        AND (l.plan IS NULL OR l.plan = r.plan)
    ) n
    WHERE n.age = 1
    HAVING count(DISTINCT n.currency) = 1
       AND count(n.currency) = count(*) AND count(n.amount) = count(*)
  ) b ON NOT o.by_seats
),
at_stake AS (
  SELECT f.band, f.currency, sum(f.amount) AS amount, min(e.decimals) AS decimals
  FROM priced f
  CROSS JOIN LATERAL (
    SELECT
    --include currency-decimals
    AS decimals
  ) e
  WHERE NOT f.cancelled AND f.amount IS NOT NULL
  GROUP BY f.band, f.currency
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
