-- The accounts that something is explained of, each with the hold on it that lasts longest.
SELECT s.account_id, s.name, h.account_id IS NOT NULL AS held, h.reason AS held_because, h.held_until
FROM saas.accounts s
LEFT JOIN (
  SELECT DISTINCT ON (h.account_id) h.account_id, h.reason, h.held_until
  FROM lapse.holds h
  WHERE h.released_at IS NULL
    AND (h.held_until IS NULL OR h.held_until > :'as_of'::timestamptz)
  ORDER BY h.account_id, h.held_until DESC NULLS FIRST, h.hold_id
) h ON h.account_id = s.account_id
WHERE s.account_id = ANY (:'accounts'::bigint[])
ORDER BY s.account_id
