-- The keys of this batch. An index begins and ends where rows are compared; the plain bounds say the
-- same to the planner, whose statistics know nothing of rows: without them it takes a batch for a good
-- part of the table, and reads all of it.
(s.account_id, s.invitation_id) > (:'from_account'::bigint, :'from_id'::bigint)
AND (s.account_id, s.invitation_id) <= (:'to_account'::bigint, :'to_id'::bigint)
AND s.account_id >= :'from_account'::bigint AND s.account_id <= :'to_account'::bigint
AND (:'from_account'::bigint < :'to_account'::bigint
     OR s.invitation_id > :'from_id'::bigint AND s.invitation_id <= :'to_id'::bigint)
