-- W1: domains to verify: those that are proven and not verified yet; and by the method root those
-- whose root domain, in the same account, is verified or is among these. Reads `proven`.
domains_due AS (
  (
    SELECT p.account_id, p.domain, p.method, p.txt_token, p.root_domain, p.last_seen_at
    FROM proven p
    WHERE p.verified_at IS NULL
    UNION
    SELECT s.account_id, s.domain, s.method, s.txt_token, s.root_domain, s.last_seen_at
    FROM saas.domains s
    JOIN saas.domains r
      ON r.account_id = s.account_id AND lower(r.domain) = lower(s.root_domain)
     AND r.verified_at IS NOT NULL
    WHERE s.method = 'root' AND s.verified_at IS NULL
      AND
      --include account-range
      AND
      --include not-left-alone
  )
  UNION
  SELECT s.account_id, s.domain, s.method, s.txt_token, s.root_domain, s.last_seen_at
  FROM saas.domains s
  JOIN domains_due d ON d.account_id = s.account_id AND lower(d.domain) = lower(s.root_domain)
  WHERE s.method = 'root' AND s.verified_at IS NULL
)
