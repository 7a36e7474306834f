-- V3: people of verified domains whom nobody manages. `file` names the CSV of each domain: the
-- domain itself, with its account where several accounts have it verified. A name that two domains
-- would share even so (one looks like another with its account) becomes account/domain, which no
-- other is.
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
  SELECT w.account_id, w.mail_domain,
         CASE WHEN e.accounts > 1 THEN w.mail_domain || '-' || w.account_id
              ELSE w.mail_domain END AS name
  FROM wanted w
  JOIN everywhere e ON e.mail_domain = w.mail_domain
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
