-- What a report for a date before the last purge lacks.
SELECT 'activity before ' || p.before || ' was purged as of ' || (p.as_of AT TIME ZONE 'UTC')::date
         || ', and a report for ' || (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date || ' needs it'
         AS reason
FROM lapse.purged p
WHERE p.what = 'user_activity_days'
  AND (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date < (p.as_of AT TIME ZONE 'UTC')::date
