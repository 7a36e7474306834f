-- D6: a scheduled change of seats is carried out. Reads `lapsing` (what lapses before it takes the
-- change with it) and `seats_judged (account_id)`, the accounts it may act on.
seats_due AS (
  SELECT d.account_id, d.subscription_id, d.plan, d.seats, d.next_seats, d.next_seats_from
  FROM (
    --include seat-changes-due
  ) d
  JOIN seats_judged j ON j.account_id = d.account_id
),
changed_base AS (
  UPDATE saas.subscriptions b
  SET seats = d.next_seats, next_seats = NULL, next_seats_from = NULL
  FROM seats_due d
  WHERE b.account_id = d.account_id AND b.subscription_id = d.subscription_id
    AND b.status IN ('trialing', 'active', 'past_due')
    AND (b.plan, b.seats, b.next_seats, b.next_seats_from)
        IS NOT DISTINCT FROM (d.plan, d.seats, d.next_seats, d.next_seats_from)
  RETURNING d.account_id, d.subscription_id, d.plan, d.seats, d.next_seats, d.next_seats_from
),
planned AS (
  SELECT c.account_id, c.plan AS from_plan, c.plan AS to_plan, c.seats AS from_seats,
         c.next_seats AS to_seats, 'seats_changed' AS reason, c.next_seats_from AS effective_at
  FROM changed_base c
),
--include plan-change
,
written AS (
  SELECT c.account_id, 'subscriptions' AS entity, c.subscription_id::text AS entity_id,
         jsonb_build_object('seats', c.seats, 'next_seats', c.next_seats,
                            'next_seats_from', c.next_seats_from) AS before,
         jsonb_build_object('seats', c.next_seats, 'next_seats', NULL,
                            'next_seats_from', NULL) AS after,
         'seats_changed' AS reason, c.next_seats_from AS effective_at
  FROM changed_base c
  UNION ALL
  --include written-plan-change
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
