-- W3: notes when verified domains were last seen. That is no change and has no audit.
WITH RECURSIVE
--include domains-proven
,
--include domains-seen
,
noted AS (
  UPDATE saas.domains o
  SET last_seen_at = :'as_of'::timestamptz
  FROM domains_seen n
  WHERE o.account_id = n.account_id AND o.domain = n.domain
    AND (o.verified_at, o.last_seen_at) IS NOT DISTINCT FROM (n.verified_at, n.last_seen_at)
  RETURNING n.account_id
)
SELECT count(*) AS changed, 0::bigint AS torn
FROM noted
