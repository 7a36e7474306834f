-- The people of domains, at the as-of: signed up, not deleted, the address in exactly that domain.
-- Reads `wanted (account_id, domain, mail_domain, since, captured_since, purchased)`: who signed up
-- at `since` or later; the last two are those of the domain's capture, where there is one.
domain_people AS (
  SELECT w.account_id, w.domain, w.captured_since, w.purchased, w.mail_domain, u.user_id, u.email,
         u.name, u.signed_up_at
  FROM wanted w
  JOIN saas.users u
    ON
    --include email-domain
    = w.mail_domain
  WHERE u.signed_up_at >= w.since
    AND u.signed_up_at <= :'as_of'::timestamptz
    AND (u.deleted_at IS NULL OR u.deleted_at > :'as_of'::timestamptz)
)
