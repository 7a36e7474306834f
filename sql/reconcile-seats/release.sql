-- L3, where it is switched on: licenses that have given no access for long enough are revoked.
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
,
due AS (
  --include releases-due
),
released AS (
  UPDATE saas.licenses l
  SET revoked_at = :'as_of'::timestamptz, revoke_reason = 'unused'
  FROM due d
  WHERE l.account_id = d.account_id AND l.license_id = d.license_id
    AND (l.user_id, l.granted_at, l.revoked_at, l.revoke_reason)
        IS NOT DISTINCT FROM (d.user_id, d.granted_at, d.revoked_at, d.revoke_reason)
  RETURNING d.account_id, d.license_id, d.revoked_at, d.revoke_reason
),
written AS (
  SELECT r.account_id, 'licenses' AS entity, r.license_id::text AS entity_id,
         jsonb_build_object('revoked_at', r.revoked_at, 'revoke_reason', r.revoke_reason) AS before,
         jsonb_build_object('revoked_at', :'as_of'::timestamptz, 'revoke_reason', 'unused') AS after,
         'seat_released' AS reason, :'as_of'::timestamptz AS effective_at
  FROM released r
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
