-- The newest snapshot before the as-of's day, and the instant it was counted at: its run's as-of where
-- the ledger knows that run and it was of that day, else the start of the day. One look into the key
-- per account: the history before is not read.
newest_day AS MATERIALIZED (
  SELECT s.account_id,
         (SELECT max(h.day)
          FROM saas.seat_snapshots h
          WHERE h.account_id = s.account_id
            AND h.day < (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date) AS day
  FROM saas.accounts s
  WHERE
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
previous AS (
  SELECT n.account_id, n.day, s.used, coalesce(r.as_of, n.day::timestamp AT TIME ZONE 'UTC') AS at
  FROM newest_day n
  JOIN saas.seat_snapshots s ON s.account_id = n.account_id AND s.day = n.day
  LEFT JOIN lapse.runs r
    ON r.run_id = s.run_id AND (r.as_of AT TIME ZONE 'UTC')::date = s.day
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
