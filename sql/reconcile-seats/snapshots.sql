-- L6: one snapshot per account and UTC day, rewritten where a figure differs. Finance bills from them;
-- they have no audit of their own.
WITH
--include accounts-as-of
,
--include seats
,
--include snapshots-due
,
recorded AS (
  INSERT INTO saas.seat_snapshots AS h (account_id, day, plan, purchased, licenses, invitations, used,
                                        over, run_id)
  SELECT d.account_id, d.day, d.plan, d.purchased, d.licenses, d.invitations, d.used, d.over,
         :'run_id'::bigint
  FROM snapshots_due d
  ON CONFLICT (account_id, day) DO UPDATE
  SET plan = excluded.plan, purchased = excluded.purchased, licenses = excluded.licenses,
      invitations = excluded.invitations, used = excluded.used, over = excluded.over,
      run_id = excluded.run_id
  RETURNING account_id
)
SELECT count(*) AS changed, 0::bigint AS torn
FROM recorded
