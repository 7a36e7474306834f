-- D7: what Enterprise controls stand behind: domains, where capture or lock is on, and SCIM
-- connections.
controlled AS (
  SELECT s.account_id, 'domains' AS entity, s.domain AS entity_id, 'domain ' || s.domain AS what,
         s.suspended_at,
         s.capture_enabled_at, s.lock_enabled_at,
         s.capture_enabled_at IS NOT NULL OR s.lock_enabled_at IS NOT NULL AS in_use
  FROM saas.domains s
  UNION ALL
  SELECT s.account_id, 'scim_connections', s.provider, 'SCIM connection ' || s.provider,
         s.suspended_at, NULL, NULL, true
  FROM saas.scim_connections s
)
