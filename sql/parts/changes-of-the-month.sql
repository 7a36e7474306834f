-- The month that is asked for, by default the last whole UTC month before as-of, and its plan changes:
-- one belongs to the month of processed_at, the as-of of its run, as in the daily reports; one that
-- the product made itself, without a run, to that of effective_at. Nothing processed after as-of shows.
month AS (
  SELECT b.begins AT TIME ZONE 'UTC' AS begins,
         (b.begins + interval '1 month') AT TIME ZONE 'UTC' AS ends
  FROM (
    SELECT coalesce((:'month'::text || '-01')::timestamp,
                    date_trunc('month', :'as_of'::timestamptz AT TIME ZONE 'UTC')
                      - interval '1 month') AS begins
  ) b
),
changes_of_the_month AS (
  SELECT s.account_id, s.change_no, s.from_plan, s.to_plan, s.from_seats, s.to_seats, s.reason,
         s.effective_at, s.processed_at, s.run_id
  FROM saas.plan_changes s
  CROSS JOIN month m
  WHERE coalesce(s.processed_at, s.effective_at) >= m.begins
    AND coalesce(s.processed_at, s.effective_at) < m.ends
    AND coalesce(s.processed_at, s.effective_at) <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
)
