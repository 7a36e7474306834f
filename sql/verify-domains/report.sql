-- What the DNS said of each domain in the newest run of the date, and what became of it; W2: another
-- row where capture or lock is on without proof. A domain that was verified on the date says so in
-- every run of the date (the audit knows). One that was first seen after the questions has no answer
-- and is not listed yet.
WITH
--include runs-of-the-date
,
noted AS (
  SELECT DISTINCT c.account_id, c.entity_id AS domain
  FROM changes c
  WHERE c.entity = 'domains' AND c.after ? 'verified_at'
),
judged AS (
  SELECT s.account_id, s.domain, s.method, s.verified_at, s.last_seen_at, s.capture_enabled_at,
         s.lock_enabled_at, a.outcome AS answer, n.domain IS NOT NULL AS noted,
         CASE WHEN s.method = 'root'
              THEN EXISTS (
                SELECT FROM saas.domains r
                WHERE r.account_id = s.account_id AND lower(r.domain) = lower(s.root_domain)
                  AND r.verified_at IS NOT NULL)
              ELSE coalesce(
                --include token-held
                , false) END AS proven
  FROM saas.domains s
  LEFT JOIN lapse.domain_answers a
    ON a.account_id = s.account_id AND a.domain = s.domain
   AND a.run_id = ANY (:'run_ids'::bigint[])
  LEFT JOIN noted n ON n.account_id = s.account_id AND n.domain = s.domain
  WHERE
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
outcomes AS (
  SELECT j.account_id, j.domain, 1 AS place,
         CASE WHEN j.noted AND j.verified_at IS NOT NULL THEN 'verified'
              WHEN j.proven AND j.verified_at IS NOT NULL THEN 'still_verified'
              WHEN j.proven THEN 'verified'
              WHEN j.method = 'root' THEN 'root_not_verified'
              WHEN j.answer IN ('nxdomain', 'servfail', 'timeout') THEN j.answer
              WHEN j.verified_at IS NOT NULL THEN 'record_gone'
              ELSE 'not_found' END AS outcome
  FROM judged j
  WHERE j.method = 'root' OR j.answer IS NOT NULL
  UNION ALL
  SELECT j.account_id, j.domain, 2, 'capture_unverified'
  FROM judged j
  WHERE j.verified_at IS NULL AND j.capture_enabled_at <= :'as_of'::timestamptz
  UNION ALL
  SELECT j.account_id, j.domain, 3, 'lock_unverified'
  FROM judged j
  WHERE j.verified_at IS NULL AND j.lock_enabled_at <= :'as_of'::timestamptz
)
SELECT j.account_id, c.name AS account, j.domain, j.method, o.outcome, j.verified_at,
       j.last_seen_at
FROM judged j
JOIN outcomes o ON o.account_id = j.account_id AND o.domain = j.domain
JOIN saas.accounts c ON c.account_id = j.account_id
ORDER BY j.account_id, j.domain COLLATE "C", o.place
