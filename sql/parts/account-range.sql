-- The accounts of this batch: behind the last one of the batch before, up to its own last.
s.account_id > :'from_account'::bigint AND s.account_id <= :'to_account'::bigint
