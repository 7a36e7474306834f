-- B1, B2: where the provider's lines and the subscriptions here differ as of the as-of, each difference
-- once, with what either side says and the money at stake.
--
-- Here: the account's live base on a paid plan (P4's base, not a trial over it). There: the lines whose
-- period covers the as-of, from its start up to before its end; lines of one plan, period and currency
-- add up. Void lines mean nothing, credits (amounts below 0) and lines without a plan prove nothing.
-- Where an account has lines of the plan it is on, those of other plans are not compared: they were
-- billed before the plan changed.
--
--   only_here          a live paid base whose own period is not over, and no line covers the as-of
--   only_there         a line covers the as-of, and there never was a paid base it could be for, or it
--                      is open and the base has ended; or its customer is not known here, or stands
--                      in several accounts (account empty; any period that has begun)
--   plan               the line's plan is another
--   seats              its seats are others; not where seats are unlimited here, or one side is silent
--   period             it ends at another instant; not where there is no end here, or a later line of the
--                      plan, billed ahead, ends where it ends here
--   currency           it is in another currency
--   amount             plan, seats and currency agree, but not the price (seats x unit_amount, known)
--   unpaid_but_active  a line is open, and the subscription is active, not past due
--   paid_but_lapsed    at the last instant of a paid line's period, or at the as-of if that is earlier,
--                      no paid base lives though one had ended by then
--
-- Amount: of plan, seats and amount what is billed beyond what it should be (less: negative), where both
-- are known in one currency; else what is billed; of only_here what should be. While no line is known
-- at all there is nothing to compare, and no row.
judged AS (
  SELECT s.account_id, :'as_of'::timestamptz AS at
  FROM saas.accounts s
  WHERE (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    AND
    --include account-range
),
--include live-by-instant
,
base AS (
  SELECT l.account_id, l.plan, l.seats, s.status, s.currency, s.period_end,
         CASE WHEN isfinite(s.period_end)
              THEN (s.period_end AT TIME ZONE 'UTC' - make_interval(months => s.period_months))
                   AT TIME ZONE 'UTC' END AS period_start,
         CASE WHEN l.seats >= 0 THEN l.seats * s.unit_amount END AS price
  FROM live l
  JOIN saas.plans p ON p.plan = l.plan AND p.fallback_plan IS NOT NULL
  JOIN saas.subscriptions s
    ON s.account_id = l.account_id AND s.subscription_id = l.subscription_id
  WHERE l.kind = 'base' AND l.alike = 1
),
lines AS (
  SELECT s.account_id, s.plan, s.period_start, s.period_end, s.currency, s.status,
         string_agg(DISTINCT s.invoice_number COLLATE "C", '; '
                    ORDER BY s.invoice_number COLLATE "C") AS invoice,
         sum(s.seats)::bigint AS seats, sum(s.amount)::bigint AS amount,
         least(s.period_end - interval '1 microsecond', :'as_of'::timestamptz) AS last
  FROM saas.billing_lines s
  WHERE s.status IN ('paid', 'open')
    AND s.plan IS NOT NULL
    AND (s.amount IS NULL OR s.amount >= 0)
    AND s.period_start <= :'as_of'::timestamptz
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    AND
    --include account-range
  GROUP BY s.account_id, s.plan, s.period_start, s.period_end, s.currency, s.status
),
covering AS (
  SELECT l.account_id, l.plan, l.period_start, l.period_end, l.currency,
         string_agg(l.invoice, '; ' ORDER BY l.invoice) AS invoice,
         sum(l.seats)::bigint AS seats, sum(l.amount)::bigint AS amount,
         bool_or(l.status = 'open') AS is_open
  FROM lines l
  WHERE l.period_end > :'as_of'::timestamptz
  GROUP BY l.account_id, l.plan, l.period_start, l.period_end, l.currency
),
-- A full join, which is never a nested loop: nobody knows beforehand how many bases there are.
compared AS (
  SELECT coalesce(b.account_id, c.account_id) AS account_id, b.account_id IS NOT NULL AS is_here,
         c.account_id IS NOT NULL AS is_there, c.invoice, c.plan, c.seats, c.period_start,
         c.period_end, c.currency, c.amount, c.is_open, b.plan AS plan_here,
         b.seats AS seats_here, b.status AS status_here,
         b.currency AS currency_here, b.period_start AS period_start_here,
         b.period_end AS period_end_here, b.price,
         CASE WHEN c.currency = b.currency THEN c.amount - b.price END AS beyond,
         c.plan = b.plan AS plan_agrees,
         bool_or(c.plan = b.plan) OVER (PARTITION BY c.account_id) AS some_plan_agrees,
         b.seats <> -1 AND c.seats <> b.seats AS seats_differ
  FROM covering c
  FULL JOIN base b ON b.account_id = c.account_id
),
-- The last instant up to the as-of that a line was to pay for, and whether a paid base lived then.
followed AS (
  SELECT l.account_id, l.invoice, l.plan, l.seats, l.period_start, l.period_end, l.currency, l.amount,
         l.status, bool_or(h.ended_at IS NULL OR h.ended_at > l.last)
                     FILTER (WHERE h.account_id IS NOT NULL) AS lives,
         max(h.ended_at) FILTER (WHERE h.ended_at <= l.last) AS ended_at
  FROM lines l
  LEFT JOIN (
    SELECT s.account_id, s.started_at, s.ended_at
    FROM saas.subscriptions s
    JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
    WHERE s.kind = 'base'
  ) h ON h.account_id = l.account_id AND h.started_at <= l.last
  GROUP BY l.account_id, l.invoice, l.plan, l.seats, l.period_start, l.period_end, l.currency,
           l.amount, l.status
),
found AS (
  SELECT c.account_id, NULL::text AS invoice, 0 AS line_number, 1 AS place, 'only_here' AS finding,
         'subscription' AS field,
         c.plan_here || CASE WHEN c.seats_here = -1 THEN ', unlimited seats'
                             ELSE coalesce(', ' || c.seats_here || ' seats', '') END AS here,
         NULL::text AS there, c.price AS amount, c.currency_here AS currency,
         c.period_start_here AS period_start, c.period_end_here AS period_end,
         NULL::text AS plan
  FROM compared c
  WHERE NOT c.is_there
    AND (c.period_end_here IS NULL OR c.period_end_here > :'as_of'::timestamptz)
    AND (EXISTS (SELECT FROM saas.billing_lines) OR EXISTS (SELECT FROM lapse.billing_unmatched))
  UNION ALL
  SELECT c.account_id, c.invoice, 0, v.place, v.finding, v.field, v.here, v.there, v.amount,
         c.currency, c.period_start, c.period_end, c.plan
  FROM compared c
  CROSS JOIN LATERAL (VALUES
    (3, 'plan', 'plan', NOT c.plan_agrees, c.plan_here, c.plan, coalesce(nullif(c.beyond, 0), c.amount)),
    (4, 'seats', 'seats', c.seats_differ, c.seats_here::text, c.seats::text,
     coalesce(nullif(c.beyond, 0), c.amount)),
    (5, 'period', 'period_end',
     isfinite(c.period_end_here) AND c.period_end <> c.period_end_here
       AND NOT EXISTS (
         SELECT FROM saas.billing_lines o
         WHERE o.account_id = c.account_id AND o.plan = c.plan AND o.status IN ('paid', 'open')
           AND o.period_end = c.period_end_here AND o.period_end > c.period_end),
     to_char(c.period_end_here AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
     to_char(c.period_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), c.amount),
    (6, 'currency', 'currency', c.currency <> c.currency_here, c.currency_here::text,
     c.currency::text, c.amount),
    (7, 'amount', 'amount',
     c.plan_agrees AND c.seats_differ IS NOT TRUE AND c.beyond <> 0, c.price::text, c.amount::text,
     c.beyond),
    (9, 'unpaid_but_active', 'status', c.is_open AND c.status_here = 'active', c.status_here, 'open',
     c.amount)
  ) AS v (place, finding, field, differs, here, there, amount)
  WHERE c.is_here AND c.is_there AND v.differs AND (c.plan_agrees OR NOT c.some_plan_agrees)
  UNION ALL
  SELECT f.account_id, f.invoice, 0, CASE WHEN f.status = 'paid' AND f.ended_at IS NOT NULL THEN 8 ELSE 2 END,
         CASE WHEN f.status = 'paid' AND f.ended_at IS NOT NULL THEN 'paid_but_lapsed'
              ELSE 'only_there' END,
         CASE WHEN f.status = 'paid' AND f.ended_at IS NOT NULL THEN 'status' ELSE 'invoice' END,
         CASE WHEN f.ended_at IS NOT NULL
              THEN 'ended ' || to_char(f.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
         CASE WHEN f.status = 'paid' AND f.ended_at IS NOT NULL THEN 'paid'
              ELSE f.plan || coalesce(', ' || f.seats || ' seats', '') || ', ' || f.status END,
         f.amount, f.currency, f.period_start, f.period_end, f.plan
  FROM followed f
  WHERE f.lives IS NOT TRUE
    AND (f.period_end > :'as_of'::timestamptz OR f.status = 'paid' AND f.ended_at IS NOT NULL)
  UNION ALL
  SELECT NULL, u.invoice_number, u.line_number, 2, 'only_there', 'customer_ref',
         CASE WHEN u.accounts > 1 THEN 'several accounts' END, u.customer_ref, u.amount, u.currency,
         u.period_start, u.period_end, u.plan
  FROM lapse.billing_unmatched u
  WHERE u.status <> 'void' AND u.period_start <= :'as_of'::timestamptz
    AND :'accounts'::bigint[] IS NULL
)
