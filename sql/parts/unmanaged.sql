-- V3: the people of an account's verified domains, capture on or not, who hold no live license there
-- and are not about to be captured: those whom capture takes or who wait for a seat are its own
-- report's. A domain that stands twice in one account, spelled differently, counts once.
--include captures
,
verified AS (
  SELECT DISTINCT ON (s.account_id, lower(s.domain))
         s.account_id, s.domain, lower(s.domain) AS mail_domain
  FROM saas.domains s
  WHERE s.verified_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ORDER BY s.account_id, lower(s.domain), s.domain COLLATE "C"
),
wanted AS (
  SELECT v.account_id, v.domain, v.mail_domain, timestamptz '-infinity' AS since
  FROM verified v
),
--include domain-people
,
--include capture-seats
,
unmanaged AS (
  SELECT p.account_id, p.domain, p.mail_domain, p.user_id, p.email, p.name, p.signed_up_at
  FROM domain_people p
  WHERE NOT EXISTS (
      SELECT FROM saas.licenses l
      WHERE l.account_id = p.account_id AND l.user_id = p.user_id
        AND l.granted_at <= :'as_of'::timestamptz
        AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz))
    AND NOT EXISTS (
      SELECT FROM captures_due d WHERE d.account_id = p.account_id AND d.user_id = p.user_id)
)
