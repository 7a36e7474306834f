-- V3: people of verified domains whom nobody manages. `file` names the CSV of each domain: the domain
-- itself, with its account where several accounts have it verified. Two of one name would lose each
-- other's rows, so whatever is not unique then (a domain that looks like another with its account)
-- is named account/domain, which no other can be.
WITH
--include unmanaged
,
everywhere AS (
  SELECT lower(d.domain) AS mail_domain, count(DISTINCT d.account_id) AS accounts
  FROM saas.domains d
  WHERE d.verified_at <= :'as_of'::timestamptz
  GROUP BY lower(d.domain)
),
named AS (
  SELECT v.account_id, v.mail_domain,
         CASE WHEN e.accounts > 1 THEN v.mail_domain || '-' || v.account_id
              ELSE v.mail_domain END AS name
  FROM verified v
  JOIN everywhere e ON e.mail_domain = v.mail_domain
),
files AS (
  SELECT n.account_id, n.mail_domain,
         CASE WHEN strpos(n.mail_domain, '/') > 0 OR count(*) OVER (PARTITION BY n.name) > 1
              THEN n.account_id || '/' || n.mail_domain
              ELSE n.name END AS file
  FROM named n
)
SELECT m.account_id, a.name AS account, m.domain, m.email, m.name, m.signed_up_at, f.file
FROM unmanaged m
JOIN saas.accounts a ON a.account_id = m.account_id
JOIN files f ON f.account_id = m.account_id AND f.mail_domain = m.mail_domain
ORDER BY m.account_id, m.domain COLLATE "C", m.email COLLATE "C", m.user_id
