-- Holds accounts: change jobs leave them alone until then, or until they are released.
INSERT INTO lapse.holds (account_id, reason, held_at, held_until)
SELECT n.account_id, :'reason'::text, :'at'::timestamptz, :'until'::timestamptz
FROM unnest(:'accounts'::bigint[]) AS n (account_id)
ORDER BY n.account_id
RETURNING account_id
