-- T4: where the base lapses together with the trial, a change of seats due before that is first.
WITH
--include just-ended
,
lapsing AS (
  --include lapses-due
),
seats_judged AS (
  SELECT j.account_id
  FROM judged j
  JOIN lapsing l ON l.account_id = j.account_id
),
--include change-seats
