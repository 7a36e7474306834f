-- W1, W3 in words: domains that are not verified yet, or the one that is asked for. What the DNS says is
-- what it says now, whatever the as-of.
WITH RECURSIVE
--include domains-proven
,
--include domains-due
SELECT s.account_id, 'domains' AS entity, s.domain AS entity_id, 'domain ' || s.domain AS what,
       'verify it' AS action, c.condition, c.holds, c.figure, c.instant, c.place
FROM saas.domains s
LEFT JOIN lapse.domain_answers a
  ON a.account_id = s.account_id AND a.domain = s.domain AND a.run_id = :'run_id'::bigint
LEFT JOIN (
  SELECT r.account_id, lower(r.domain) AS name, min(r.verified_at) AS verified_at,
         bool_or(d.domain IS NOT NULL) AS is_due
  FROM saas.domains r
  LEFT JOIN domains_due d ON d.account_id = r.account_id AND d.domain = r.domain
  GROUP BY r.account_id, lower(r.domain)
) r ON r.account_id = s.account_id AND r.name = lower(s.root_domain)
CROSS JOIN LATERAL (
  VALUES
    (NULL, 1, 'it is not verified yet', s.verified_at IS NULL,
     CASE WHEN s.verified_at IS NOT NULL THEN 'verified' END, s.verified_at),
    ('unique_txt', 2, 'a TXT record of it holds its token', EXISTS (
       SELECT FROM proven p WHERE p.account_id = s.account_id AND p.domain = s.domain),
     'the DNS says ' || coalesce(a.outcome, 'nothing'), NULL),
    ('root', 2, 'its root domain is verified, or will be by this run',
     r.verified_at IS NOT NULL OR r.is_due,
     'the root is ' || coalesce(s.root_domain, 'not named')
       || CASE WHEN r.verified_at IS NULL THEN '' ELSE ', verified' END,
     r.verified_at)
) c (method, place, condition, holds, figure, instant)
WHERE (c.method IS NULL OR c.method = s.method)
  AND (s.domain = :'asked'::text OR :'asked'::text IS NULL AND s.verified_at IS NULL)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
