-- The holds there are, of all accounts or of some; those that have ended only where they are asked for.
SELECT h.account_id, a.name AS account, h.reason, h.held_at, h.held_until, h.released_at,
       CASE WHEN h.released_at IS NOT NULL THEN 'released'
            WHEN h.held_until <= :'at'::timestamptz THEN 'ended' ELSE 'held' END AS state
FROM lapse.holds h
LEFT JOIN saas.accounts a ON a.account_id = h.account_id
WHERE (:'accounts'::bigint[] IS NULL OR h.account_id = ANY (:'accounts'::bigint[]))
  AND (:'ended'::boolean
       OR h.released_at IS NULL AND (h.held_until IS NULL OR h.held_until > :'at'::timestamptz))
ORDER BY h.account_id, h.hold_id
