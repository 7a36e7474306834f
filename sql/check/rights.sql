-- The rights that the runner needs and the session's user lacks, as the grants that would give them.
-- The list is that of sql/roles.sql; a test runs every job under that role.
WITH needed (kind, name, privilege, columns) AS (
  VALUES
    ('schema', 'saas', 'USAGE', ''),
    ('schema', 'lapse', 'USAGE', ''),
    ('table', 'saas.plans', 'SELECT', ''),
    ('table', 'saas.users', 'SELECT', ''),
    ('table', 'saas.accounts', 'SELECT', ''),
    ('table', 'saas.account_members', 'SELECT', ''),
    ('table', 'saas.subscriptions', 'SELECT', ''),
    ('column', 'saas.subscriptions', 'UPDATE', 'status,seats,period_end,next_seats,next_seats_from,ended_at,end_reason'),
    ('column', 'saas.subscriptions', 'INSERT', 'account_id,kind,plan,channel,status,seats,period_months,started_at,period_end,external_ref'),
    ('table', 'saas.activation_codes', 'SELECT', ''),
    ('column', 'saas.activation_codes', 'UPDATE', 'redeemed_at'),
    ('table', 'saas.organizations', 'SELECT', ''),
    ('column', 'saas.organizations', 'UPDATE', 'status,inactive_since,inactive_reason,git_sync_over_limit_since'),
    ('table', 'saas.organization_members', 'SELECT', ''),
    ('column', 'saas.organization_members', 'INSERT', 'account_id,organization_id,user_id,via,joined_at,role'),
    ('column', 'saas.organization_members', 'UPDATE', 'left_at'),
    ('table', 'saas.organization_exports', 'SELECT', ''),
    ('column', 'saas.organization_exports', 'INSERT', 'account_id,organization_id,requested_at,visible_to,status'),
    ('table', 'saas.teams', 'SELECT', ''),
    ('column', 'saas.teams', 'UPDATE', 'deleted_at'),
    ('table', 'saas.team_members', 'SELECT', ''),
    ('column', 'saas.team_members', 'UPDATE', 'left_at'),
    ('table', 'saas.team_organizations', 'SELECT', ''),
    ('column', 'saas.team_organizations', 'UPDATE', 'unlinked_at'),
    ('table', 'saas.scim_events', 'SELECT', ''),
    ('column', 'saas.scim_events', 'UPDATE', 'applied_at'),
    ('table', 'saas.storage_rules', 'SELECT', ''),
    ('column', 'saas.account_members', 'INSERT', 'account_id,user_id,role,joined_at'),
    ('column', 'saas.account_members', 'UPDATE', 'role,joined_at,left_at'),
    ('table', 'saas.invitations', 'SELECT', ''),
    ('column', 'saas.invitations', 'UPDATE', 'status,closed_at'),
    ('table', 'saas.licenses', 'SELECT', ''),
    ('column', 'saas.licenses', 'INSERT', 'account_id,user_id,source,granted_at'),
    ('column', 'saas.licenses', 'UPDATE', 'revoked_at,revoke_reason'),
    ('table', 'saas.domains', 'SELECT', ''),
    ('column', 'saas.domains', 'UPDATE', 'verified_at,last_seen_at,suspended_at'),
    ('table', 'saas.scim_connections', 'SELECT', ''),
    ('column', 'saas.scim_connections', 'UPDATE', 'suspended_at'),
    ('table', 'saas.user_activity', 'SELECT', ''),
    ('table', 'saas.user_activity_days', 'SELECT', ''),
    ('table', 'saas.user_activity_days', 'DELETE', ''),
    ('table', 'saas.billing_lines', 'SELECT', ''),
    ('table', 'saas.billing_lines', 'INSERT', ''),
    ('table', 'saas.billing_lines', 'UPDATE', ''),
    ('table', 'saas.seat_snapshots', 'SELECT', ''),
    ('table', 'saas.seat_snapshots', 'INSERT', ''),
    ('table', 'saas.seat_snapshots', 'UPDATE', ''),
    ('table', 'saas.plan_changes', 'SELECT', ''),
    ('column', 'saas.plan_changes', 'INSERT', 'account_id,from_plan,to_plan,from_seats,to_seats,reason,effective_at,processed_at,run_id'),
    ('table', 'lapse.schema_version', 'SELECT', ''),
    ('table', 'lapse.runs', 'SELECT', ''),
    ('column', 'lapse.runs', 'INSERT', 'job,as_of,trigger,state,started_at,counters,options,settings_digest,version,host'),
    ('column', 'lapse.runs', 'UPDATE', 'state,attempt,finished_at,counters,status,message,changes_digest,version,host'),
    ('table', 'lapse.runs', 'DELETE', ''),
    ('table', 'lapse.purged', 'SELECT', ''),
    ('table', 'lapse.purged', 'INSERT', ''),
    ('table', 'lapse.purged', 'UPDATE', ''),
    ('table', 'lapse.periods', 'SELECT', ''),
    ('table', 'lapse.periods', 'INSERT', ''),
    ('table', 'lapse.periods', 'UPDATE', ''),
    ('table', 'lapse.changes', 'SELECT', ''),
    ('column', 'lapse.changes', 'INSERT', 'account_id,run_id,batch_no,entity,entity_id,before,after,reason,effective_at'),
    ('table', 'lapse.batches', 'SELECT', ''),
    ('table', 'lapse.batches', 'INSERT', ''),
    ('table', 'lapse.chain_head', 'SELECT', ''),
    ('column', 'lapse.chain_head', 'UPDATE', 'chain_no,digest'),
    ('table', 'lapse.holds', 'SELECT', ''),
    ('column', 'lapse.holds', 'INSERT', 'account_id,reason,held_at,held_until'),
    ('column', 'lapse.holds', 'UPDATE', 'released_at'),
    ('table', 'lapse.quarantine', 'SELECT', ''),
    ('table', 'lapse.quarantine', 'INSERT', ''),
    ('table', 'lapse.quarantine', 'UPDATE', ''),
    ('table', 'lapse.quarantine', 'DELETE', ''),
    ('table', 'lapse.files', 'SELECT', ''),
    ('table', 'lapse.files', 'INSERT', ''),
    ('table', 'lapse.files', 'UPDATE', ''),
    ('table', 'lapse.files', 'DELETE', '')
)
SELECT n.privilege
         || CASE WHEN n.kind = 'column' THEN ' (' || c.name || ')' ELSE '' END
         || ' ON ' || CASE WHEN n.kind = 'schema' THEN 'SCHEMA ' ELSE '' END || n.name AS missing
FROM needed n
CROSS JOIN LATERAL string_to_table(n.columns, ',') AS c (name)
WHERE n.kind = 'column' AND NOT coalesce(has_column_privilege(n.name, c.name, n.privilege), false)
UNION ALL
SELECT n.privilege || ' ON ' || CASE WHEN n.kind = 'schema' THEN 'SCHEMA ' ELSE '' END || n.name
FROM needed n
WHERE (n.kind = 'schema' AND NOT coalesce(has_schema_privilege(n.name, n.privilege), false))
   OR (n.kind = 'table' AND NOT coalesce(has_table_privilege(n.name, n.privilege), false))
ORDER BY missing
