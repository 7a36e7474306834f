-- A5: details of activity older than 90 days are due to be purged; the summary row never is.
SELECT s.account_id, s.user_id, s.day
FROM saas.user_activity_days s
WHERE s.day < (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date - 90
  AND
  --include account-range
  AND
  --include not-left-alone
