-- Ends the holds that are on the accounts.
UPDATE lapse.holds h
SET released_at = :'at'::timestamptz
WHERE h.account_id = ANY (:'accounts'::bigint[])
  AND h.released_at IS NULL
  AND (h.held_until IS NULL OR h.held_until > :'at'::timestamptz)
RETURNING h.account_id
