-- L3, L4 in words: licenses that give access to nothing, or the one that is asked for.
WITH
--include accounts-as-of
,
--include seat-holders
,
--include seat-people
,
--include belonging
,
--include idle-seats
SELECT s.account_id, 'licenses' AS entity, s.license_id::text AS entity_id,
       'license ' || s.license_id AS what, 'release its seat' AS action, c.condition, c.holds,
       c.figure, c.instant, c.place
FROM saas.licenses s
LEFT JOIN idle_seats i ON i.account_id = s.account_id AND i.user_id = s.user_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is live',
     s.granted_at <= :'as_of'::timestamptz
       AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz),
     CASE WHEN s.revoked_at IS NULL THEN 'granted' ELSE 'revoked' END,
     coalesce(s.revoked_at, s.granted_at)),
    (2, 'its holder has left every organization and team', i.finding = 'seat_without_access',
     CASE WHEN i.user_id IS NULL THEN 'they have access, or are the owner'
          WHEN i.finding = 'seat_without_access' THEN 'since'
          ELSE 'captured, or from SCIM and not assigned yet' END, i.since),
    (3, 'seats are released, and it has been so for that long',
     i.since <= :'as_of'::timestamptz - :'release_unused_seats_after'::interval,
     CASE WHEN :'release_unused_seats_after'::text IS NULL THEN 'release_unused_seats_after is not set'
          ELSE 'so from' END,
     i.since + :'release_unused_seats_after'::interval),
    (4, 'they have not joined one since the as-of, nor own the account', NOT
     --include joined-since
     , NULL, NULL)
) c (place, condition, holds, figure, instant)
WHERE (s.license_id::text = :'asked'::text OR :'asked'::text IS NULL AND i.user_id IS NOT NULL
       AND s.granted_at <= :'as_of'::timestamptz
       AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
