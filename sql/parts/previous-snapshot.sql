-- The newest snapshot before the as-of's day, and the instant it was counted at: its run's as-of where
-- the ledger knows that run and it was of that day, else the start of the day.
previous AS (
  SELECT DISTINCT ON (s.account_id)
         s.account_id, s.day, s.used,
         coalesce(r.as_of, s.day::timestamp AT TIME ZONE 'UTC') AS at
  FROM saas.seat_snapshots s
  LEFT JOIN lapse.runs r
    ON r.run_id = s.run_id AND (r.as_of AT TIME ZONE 'UTC')::date = s.day
  WHERE s.day < (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ORDER BY s.account_id, s.day DESC
),
judged AS (
  SELECT s.account_id, :'as_of'::timestamptz AS at
  FROM saas.accounts s
  WHERE s.created_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  UNION
  SELECT p.account_id, p.at
  FROM previous p
)
