-- The last activity of everybody of whom any is known, as the activity report shows it.
last_days AS (
  SELECT s.account_id, s.user_id, max(s.day) AS last_day
  FROM saas.user_activity_days s
  WHERE s.day <= (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  GROUP BY s.account_id, s.user_id
),
last_activity AS (
  SELECT coalesce(a.account_id, d.account_id) AS account_id,
         coalesce(a.user_id, d.user_id) AS user_id, y.active_on, h.status, z.shown
  FROM (
    SELECT s.account_id, s.user_id, s.last_opened_at, s.last_login_at
    FROM saas.user_activity s
    WHERE
      --include account-range
      AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ) a
  FULL JOIN last_days d ON d.account_id = a.account_id AND d.user_id = a.user_id
  --include last-active
  --include activity-band
)
