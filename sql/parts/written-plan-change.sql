SELECT c.account_id, 'plan_changes' AS entity, c.change_no::text AS entity_id, NULL::jsonb AS before,
       jsonb_build_object('account_id', c.account_id, 'from_plan', c.from_plan,
                          'to_plan', c.to_plan, 'from_seats', c.from_seats,
                          'to_seats', c.to_seats, 'reason', c.reason,
                          'effective_at', c.effective_at, 'processed_at', c.processed_at,
                          'run_id', c.run_id) AS after,
       c.reason, c.effective_at
FROM plan_change c
