-- V1, V2, V4 in words: the people that capture is for, or the user who is asked for.
WITH
--include captures-due
,
people AS (
  SELECT s.account_id, u.user_id, u.email, u.signed_up_at, u.deleted_at,
         --include email-domain
         AS mail_domain
  FROM saas.accounts s
  JOIN saas.users u ON u.user_id::text = :'asked'::text
  WHERE
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  UNION
  SELECT d.account_id, u.user_id, u.email, u.signed_up_at, u.deleted_at,
         --include email-domain
  FROM captures_due d
  JOIN saas.users u ON u.user_id = d.user_id
  WHERE :'asked'::text IS NULL
)
SELECT p.account_id, 'licenses' AS entity, p.user_id::text AS entity_id, 'user ' || p.user_id AS what,
       'license them' AS action, c.condition, c.holds, c.figure, c.instant, c.place
FROM people p
LEFT JOIN captures_here h ON h.account_id = p.account_id AND h.mail_domain = p.mail_domain
LEFT JOIN captures_due d ON d.account_id = p.account_id AND d.user_id = p.user_id
LEFT JOIN LATERAL (
  -- Spelled in two ways, it may stand twice.
  SELECT n.account_id, n.verified_at, n.capture_enabled_at, n.suspended_at
  FROM saas.domains n
  WHERE n.account_id = p.account_id AND lower(n.domain) = p.mail_domain
  ORDER BY n.domain = h.domain DESC, n.capture_enabled_at, n.domain COLLATE "C"
  LIMIT 1
) k ON true
CROSS JOIN LATERAL (
  VALUES
    (1, 'the account captures the domain of their address', h.account_id IS NOT NULL,
     CASE WHEN k.account_id IS NULL THEN 'the domain is not the account''s'
          WHEN k.verified_at IS NULL THEN 'it is not verified'
          WHEN k.capture_enabled_at IS NULL THEN 'it is not captured'
          WHEN k.suspended_at <= :'as_of'::timestamptz THEN 'it is suspended'
          WHEN h.account_id IS NULL THEN 'the plan has no controls, or another account captures it'
          ELSE 'captured' END,
     k.capture_enabled_at),
    (2, 'they have signed up', p.signed_up_at <= :'as_of'::timestamptz, 'signed up',
     p.signed_up_at),
    (3, 'they signed up since it is captured', p.signed_up_at >= h.captured_since,
     CASE WHEN h.captured_since = '-infinity' THEN 'earlier sign-ups count too' END, NULL),
    (4, 'they are not deleted', p.deleted_at IS NULL OR p.deleted_at > :'as_of'::timestamptz,
     CASE WHEN p.deleted_at IS NOT NULL THEN 'deleted' END, p.deleted_at),
    (5, 'they never held a license there',
     --include never-licensed
     , NULL, NULL),
    (6, 'a seat is free for them, or theirs by an invitation', d.has_seat,
     CASE WHEN d.has_seat IS NULL THEN 'seats are for those who are due'
          WHEN h.purchased = -1 THEN 'seats are unlimited'
          ELSE h.purchased || ' were bought' END, NULL)
) c (place, condition, holds, figure, instant)
