-- Promise 7: the snapshot of the as-of's own day says as many seats as a recount.
WITH
--include accounts-as-of
,
--include seats
SELECT s.account_id,
       'the snapshot of ' || s.day || ' says ' || s.used || ' seats used, a recount ' || n.used
         AS finding
FROM saas.seat_snapshots s
JOIN seats n ON n.account_id = s.account_id
WHERE s.day = (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
  AND s.used IS DISTINCT FROM n.used
  AND
  --include not-left-by-anybody
ORDER BY s.account_id
