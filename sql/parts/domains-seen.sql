-- W3: verified domains that are still seen: those that are proven, and by the method root those whose
-- root domain is seen in this run. Only what has not been noted for this as-of, or a later one.
-- Reads `proven`.
seen AS (
  SELECT p.account_id, p.domain, p.verified_at, p.last_seen_at
  FROM proven p
  UNION
  SELECT s.account_id, s.domain, s.verified_at, s.last_seen_at
  FROM saas.domains s
  JOIN seen r ON r.account_id = s.account_id AND lower(r.domain) = lower(s.root_domain)
  WHERE s.method = 'root' AND s.verified_at IS NOT NULL
),
domains_seen AS (
  SELECT n.account_id, n.domain, n.verified_at, n.last_seen_at
  FROM seen n
  WHERE n.verified_at IS NOT NULL
    AND (n.last_seen_at IS NULL OR n.last_seen_at < :'as_of'::timestamptz)
)
