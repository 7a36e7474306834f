-- D1 to D4, T4: the base subscription lapses. The old base ends, a new one begins at that instant:
-- next_plan where a manual downgrade named one (D3), else the plan it falls back to (D2).
-- Reads `judged (account_id)`, the accounts it may act on.
lapsing AS (
  SELECT d.account_id, d.subscription_id, d.plan, d.channel, d.status, d.seats, d.period_months,
         d.period_end, d.cancel_at_period_end, d.next_plan, d.next_seats, d.next_seats_from,
         d.ended_at, d.end_reason, d.external_ref,
         d.lapses_at,
         CASE WHEN d.cancel_at_period_end THEN 'manual_downgrade'
              ELSE 'expired_without_renewal' END AS reason,
         n.plan AS new_plan, n.fallback_plan IS NULL AS new_is_free, n.included_seats,
         o.included_seats AS old_included_seats
  FROM (
    --include lapses-due
  ) d
  JOIN judged j ON j.account_id = d.account_id
  JOIN saas.plans o ON o.plan = d.plan
  JOIN saas.plans n ON n.plan = CASE WHEN d.cancel_at_period_end
                                     THEN coalesce(d.next_plan, o.fallback_plan)
                                     ELSE o.fallback_plan END
),
ended_base AS (
  UPDATE saas.subscriptions b
  SET status = 'ended', ended_at = l.lapses_at, end_reason = l.reason
  FROM lapsing l
  WHERE b.account_id = l.account_id AND b.subscription_id = l.subscription_id
    AND (b.status, b.plan, b.channel, b.seats, b.period_months, b.period_end,
         b.cancel_at_period_end, b.next_plan, b.next_seats, b.next_seats_from)
        IS NOT DISTINCT FROM
        (l.status, l.plan, l.channel, l.seats, l.period_months, l.period_end,
         l.cancel_at_period_end, l.next_plan, l.next_seats, l.next_seats_from)
  RETURNING l.account_id, l.subscription_id, l.plan, l.channel, l.status, l.seats, l.period_months,
            l.period_end, l.next_seats, l.next_seats_from, l.ended_at, l.end_reason,
            l.external_ref, l.lapses_at, l.reason, l.new_plan, l.new_is_free, l.included_seats,
            l.old_included_seats
),
new_base AS (
  INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, period_months,
                                  started_at, period_end, external_ref)
  SELECT e.account_id, 'base', e.new_plan,
         CASE WHEN e.new_is_free THEN 'none' ELSE e.channel END,
         'active',
         CASE WHEN e.new_is_free THEN e.included_seats
              WHEN e.next_seats_from IS NULL THEN coalesce(e.next_seats, e.seats)
              ELSE e.seats END,
         CASE WHEN NOT e.new_is_free THEN e.period_months END,
         e.lapses_at,
         CASE WHEN NOT e.new_is_free
              THEN (e.period_end AT TIME ZONE 'UTC' + make_interval(months => e.period_months))
                   AT TIME ZONE 'UTC' END,
         e.external_ref
  FROM ended_base e
  RETURNING account_id, subscription_id, kind, plan, channel, status, seats, period_months,
            started_at, period_end, external_ref
),
planned AS (
  SELECT e.account_id, e.plan AS from_plan, e.new_plan AS to_plan,
         coalesce(e.old_included_seats, e.seats) AS from_seats,
         coalesce(e.included_seats, n.seats) AS to_seats, e.reason, e.lapses_at AS effective_at
  FROM ended_base e
  JOIN new_base n ON n.account_id = e.account_id
),
--include plan-change
,
written AS (
  SELECT e.account_id, 'subscriptions' AS entity, e.subscription_id::text AS entity_id,
         jsonb_build_object('status', e.status, 'ended_at', e.ended_at,
                            'end_reason', e.end_reason) AS before,
         jsonb_build_object('status', 'ended', 'ended_at', e.lapses_at,
                            'end_reason', e.reason) AS after,
         e.reason, e.lapses_at AS effective_at
  FROM ended_base e
  UNION ALL
  SELECT n.account_id, 'subscriptions', n.subscription_id::text, NULL,
         jsonb_build_object('account_id', n.account_id, 'kind', n.kind, 'plan', n.plan,
                            'channel', n.channel, 'status', n.status, 'seats', n.seats,
                            'period_months', n.period_months, 'started_at', n.started_at,
                            'period_end', n.period_end, 'external_ref', n.external_ref),
         e.reason, e.lapses_at
  FROM new_base n
  JOIN ended_base e ON e.account_id = n.account_id
  UNION ALL
  --include written-plan-change
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
