-- V1: those for whom a seat is free get a license, and are members of the account. A live
-- membership stays as it is, whatever its role; a former one begins anew.
WITH
--include captures-due
,
granted AS (
  INSERT INTO saas.licenses (account_id, user_id, source, granted_at)
  SELECT d.account_id, d.user_id, 'capture', :'as_of'::timestamptz
  FROM captures_due d
  WHERE d.has_seat
  ORDER BY d.account_id, d.signed_up_at, d.user_id
  RETURNING account_id, license_id, user_id, source, granted_at
),
former AS (
  SELECT g.account_id, g.user_id, m.role, m.joined_at, m.left_at
  FROM granted g
  JOIN saas.account_members m ON m.account_id = g.account_id AND m.user_id = g.user_id
  WHERE m.left_at <= :'as_of'::timestamptz
),
rejoined AS (
  UPDATE saas.account_members m
  SET role = 'member', joined_at = :'as_of'::timestamptz, left_at = NULL
  FROM former f
  WHERE m.account_id = f.account_id AND m.user_id = f.user_id
    AND (m.role, m.joined_at, m.left_at) IS NOT DISTINCT FROM (f.role, f.joined_at, f.left_at)
  RETURNING f.account_id, f.user_id, f.role, f.joined_at, f.left_at, m.role AS new_role,
            m.joined_at AS new_joined_at
),
joined AS (
  INSERT INTO saas.account_members (account_id, user_id, role, joined_at)
  SELECT g.account_id, g.user_id, 'member', g.granted_at
  FROM granted g
  WHERE NOT EXISTS (
    SELECT FROM saas.account_members m
    WHERE m.account_id = g.account_id AND m.user_id = g.user_id)
  ORDER BY g.account_id, g.user_id
  ON CONFLICT DO NOTHING
  RETURNING account_id, user_id, role, joined_at
),
written AS (
  SELECT g.account_id, 'licenses' AS entity, g.license_id::text AS entity_id,
         NULL::jsonb AS before,
         jsonb_build_object('account_id', g.account_id, 'user_id', g.user_id, 'source', g.source,
                            'granted_at', g.granted_at) AS after,
         'captured' AS reason, g.granted_at AS effective_at
  FROM granted g
  UNION ALL
  SELECT r.account_id, 'account_members', r.user_id::text,
         jsonb_build_object('role', r.role, 'joined_at', r.joined_at, 'left_at', r.left_at),
         jsonb_build_object('role', r.new_role, 'joined_at', r.new_joined_at, 'left_at', NULL),
         'captured', r.new_joined_at
  FROM rejoined r
  UNION ALL
  SELECT j.account_id, 'account_members', j.user_id::text, NULL,
         jsonb_build_object('account_id', j.account_id, 'user_id', j.user_id, 'role', j.role,
                            'joined_at', j.joined_at),
         'captured', j.joined_at
  FROM joined j
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
