-- Every change of plan or seats has its row, processed as of the run. Reads `planned`.
plan_change AS (
  INSERT INTO saas.plan_changes (account_id, from_plan, to_plan, from_seats, to_seats, reason,
                                 effective_at, processed_at, run_id)
  SELECT p.account_id, p.from_plan, p.to_plan, p.from_seats, p.to_seats, p.reason, p.effective_at,
         :'as_of'::timestamptz, :'run_id'::bigint
  FROM planned p
  RETURNING account_id, change_no, from_plan, to_plan, from_seats, to_seats, reason, effective_at,
            processed_at, run_id
)
