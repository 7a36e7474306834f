-- W1: verifies the domains that are due. Of what has been verified once, nothing is ever taken back
-- (W3).
WITH RECURSIVE
--include domains-proven
,
--include domains-due
,
verified AS (
  UPDATE saas.domains o
  SET verified_at = :'as_of'::timestamptz, last_seen_at = :'as_of'::timestamptz
  FROM domains_due d
  WHERE o.account_id = d.account_id AND o.domain = d.domain
    AND o.verified_at IS NULL
    AND (o.method, o.txt_token, o.root_domain, o.last_seen_at)
        IS NOT DISTINCT FROM (d.method, d.txt_token, d.root_domain, d.last_seen_at)
  RETURNING d.account_id, d.domain, d.method, d.last_seen_at
),
written AS (
  SELECT v.account_id, 'domains' AS entity, v.domain AS entity_id,
         jsonb_build_object('verified_at', NULL::timestamptz, 'last_seen_at', v.last_seen_at)
           AS before,
         jsonb_build_object('verified_at', :'as_of'::timestamptz,
                            'last_seen_at', :'as_of'::timestamptz) AS after,
         CASE WHEN v.method = 'root' THEN 'root_verified' ELSE 'txt_record' END AS reason,
         :'as_of'::timestamptz AS effective_at
  FROM verified v
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
