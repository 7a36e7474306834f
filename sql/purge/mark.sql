-- Remembers that details are purged and up to when, so that a report for a date before can say what it
-- lacks. In the transaction of the purge itself; not counted.
WITH due AS (
  SELECT (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date AS day
  WHERE EXISTS (
    --include details-due
  )
),
marked AS (
  INSERT INTO lapse.purged AS p (what, before, as_of)
  SELECT 'user_activity_days', d.day - 90, :'as_of'::timestamptz
  FROM due d
  ON CONFLICT (what) DO UPDATE SET before = excluded.before, as_of = excluded.as_of
  WHERE p.before < excluded.before
)
SELECT 0::bigint AS changed, 0::bigint AS torn
