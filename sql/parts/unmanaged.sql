-- V3: the people of an account's verified domains, capture on or not, who hold no live license
-- there and are not due to be captured: those whom capture takes or who wait for a seat are in its
-- own report. A domain that stands twice in one account, spelled differently, counts once.
--include captures
,
verified AS (
  SELECT s.account_id, s.domain, lower(s.domain) AS mail_domain
  FROM saas.domains s
  WHERE s.verified_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
wanted AS (
  SELECT w.account_id, min(w.domain COLLATE "C") AS domain, w.mail_domain,
         timestamptz '-infinity' AS since, min(w.captured_since) AS captured_since,
         min(w.purchased) AS purchased
  FROM (
    SELECT v.account_id, v.domain, v.mail_domain, NULL::timestamptz AS captured_since,
           NULL::integer AS purchased
    FROM verified v
    UNION ALL
    SELECT h.account_id, h.domain, h.mail_domain, h.captured_since, h.purchased
    FROM captures_here h
  ) w
  GROUP BY w.account_id, w.mail_domain
),
--include domain-people
,
unmanaged AS (
  SELECT p.account_id, p.domain, p.mail_domain, p.user_id, p.email, p.name, p.signed_up_at
  FROM domain_people p
  WHERE NOT EXISTS (
      SELECT FROM saas.licenses l
      WHERE l.account_id = p.account_id AND l.user_id = p.user_id
        AND l.granted_at <= :'as_of'::timestamptz
        AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz))
    AND (
      --include capture-due
    ) IS NOT TRUE
)
