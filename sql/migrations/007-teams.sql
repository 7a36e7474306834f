-- What reconcile-teams looks up: events that wait, and the teams of a person. Only where the tables are
-- ours: an adopter's views have the indexes of their own tables.
DO $$
BEGIN
  IF (SELECT relkind FROM pg_catalog.pg_class WHERE oid = 'saas.scim_events'::regclass) IN ('r', 'p')
  THEN
    EXECUTE 'CREATE INDEX scim_events_waiting ON saas.scim_events (account_id, received_at)
               WHERE applied_at IS NULL';
  END IF;
  IF (SELECT relkind FROM pg_catalog.pg_class WHERE oid = 'saas.team_members'::regclass) IN ('r', 'p')
  THEN
    EXECUTE 'CREATE INDEX team_members_person ON saas.team_members (account_id, user_id)';
  END IF;
END
$$;
