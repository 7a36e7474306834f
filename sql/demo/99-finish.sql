-- Demo data, part 99: ids made from now on begin above those given here; statistics; the helpers go.

DO $$
DECLARE
  id record;
  greatest_id bigint;
BEGIN
  FOR id IN
    SELECT table_name, column_name, pg_get_serial_sequence('saas.' || table_name, column_name) AS sequence
    FROM information_schema.columns
    WHERE table_schema = 'saas' AND is_identity = 'YES'
    ORDER BY table_name
  LOOP
    EXECUTE format('SELECT max(%I) FROM saas.%I', id.column_name, id.table_name) INTO greatest_id;
    IF greatest_id IS NOT NULL THEN PERFORM setval(id.sequence, greatest_id); END IF;
  END LOOP;
END
$$;

SET LOCAL client_min_messages = warning;
DROP SCHEMA demo CASCADE;

ANALYZE saas.accounts, saas.account_members, saas.activation_codes, saas.billing_lines, saas.domains, saas.invitations,
        saas.licenses, saas.organization_exports, saas.organization_members, saas.organizations, saas.plan_changes, saas.plans,
        saas.scim_connections, saas.scim_events, saas.seat_snapshots, saas.storage_rules, saas.subscriptions,
        saas.team_members, saas.team_organizations, saas.teams, saas.user_activity, saas.user_activity_days, saas.users;
