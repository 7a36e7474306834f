-- Least privilege for the runner. Run once by the schemas' owner, after `lapse migrate`:
--
--     psql -v ON_ERROR_STOP=1 -1 -f roles.sql DATABASE
--
-- lapse_runner  what the nightly run needs: it reads the product's data and may change only the
--               columns that a rule writes; of its own history it may add, never rewrite
-- lapse_reader  reads everything: reports on a replica, people who look
--
-- Grant them to the login roles that run lapse: GRANT lapse_runner TO lapse;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'lapse_runner') THEN
    CREATE ROLE lapse_runner NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'lapse_reader') THEN
    CREATE ROLE lapse_reader NOLOGIN;
  END IF;
END
$$;

-- From nothing, so that running it again takes back what an older version granted.
REVOKE ALL ON ALL TABLES IN SCHEMA saas, lapse FROM lapse_runner, lapse_reader;

GRANT USAGE ON SCHEMA saas, lapse TO lapse_runner, lapse_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA saas, lapse TO lapse_runner, lapse_reader;

-- What the rules write.
GRANT UPDATE (status, closed_at) ON saas.invitations TO lapse_runner;
GRANT UPDATE (status, seats, period_end, next_seats, next_seats_from, ended_at, end_reason),
      INSERT (account_id, kind, plan, channel, status, seats, period_months, started_at, period_end,
              external_ref)
  ON saas.subscriptions TO lapse_runner;
GRANT UPDATE (redeemed_at) ON saas.activation_codes TO lapse_runner;
GRANT INSERT (account_id, from_plan, to_plan, from_seats, to_seats, reason, effective_at,
              processed_at, run_id)
  ON saas.plan_changes TO lapse_runner;
GRANT UPDATE (status, inactive_since, inactive_reason, git_sync_over_limit_since)
  ON saas.organizations TO lapse_runner;
GRANT INSERT (account_id, organization_id, requested_at, visible_to, status), UPDATE (status)
  ON saas.organization_exports TO lapse_runner;
GRANT INSERT (account_id, organization_id, user_id, via, joined_at, role), UPDATE (left_at)
  ON saas.organization_members TO lapse_runner;
GRANT UPDATE (deleted_at) ON saas.teams TO lapse_runner;
GRANT UPDATE (left_at) ON saas.team_members TO lapse_runner;
GRANT UPDATE (unlinked_at) ON saas.team_organizations TO lapse_runner;
GRANT UPDATE (applied_at) ON saas.scim_events TO lapse_runner;
GRANT INSERT (account_id, user_id, source, granted_at), UPDATE (revoked_at, revoke_reason)
  ON saas.licenses TO lapse_runner;
GRANT INSERT (account_id, user_id, role, joined_at), UPDATE (role, joined_at, left_at)
  ON saas.account_members TO lapse_runner;
GRANT UPDATE (verified_at, last_seen_at, suspended_at) ON saas.domains TO lapse_runner;
GRANT UPDATE (suspended_at) ON saas.scim_connections TO lapse_runner;

-- What is bookkeeping: what finance bills from, what is imported, what is purged.
GRANT INSERT, UPDATE ON saas.seat_snapshots TO lapse_runner;
GRANT INSERT, UPDATE ON saas.billing_lines TO lapse_runner;
GRANT DELETE ON saas.user_activity_days TO lapse_runner;
GRANT INSERT (account_id, user_id, last_opened_at), UPDATE (last_opened_at)
  ON saas.user_activity TO lapse_runner;
GRANT INSERT, UPDATE ON lapse.billing_files TO lapse_runner;
GRANT INSERT, UPDATE, DELETE ON lapse.billing_bad_lines, lapse.billing_unmatched TO lapse_runner;

-- A file passes through temporary tables. Everybody may make some, where nobody has taken that away.
DO $$
BEGIN
  IF NOT has_database_privilege('lapse_runner', current_database(), 'TEMPORARY') THEN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO lapse_runner', current_database());
  END IF;
END
$$;

-- The ledger. No UPDATE or DELETE on changes and batches: append-only.
GRANT INSERT (job, as_of, trigger, state, started_at, counters, options, settings_digest, version,
              host),
      UPDATE (state, attempt, finished_at, counters, status, message, changes_digest, version, host)
  ON lapse.runs TO lapse_runner;
GRANT INSERT, UPDATE ON lapse.periods, lapse.files TO lapse_runner;
GRANT INSERT (account_id, run_id, batch_no, entity, entity_id, before, after, reason, effective_at)
  ON lapse.changes TO lapse_runner;
GRANT INSERT ON lapse.batches TO lapse_runner;
GRANT UPDATE (chain_no, digest) ON lapse.chain_head TO lapse_runner;
GRANT INSERT, UPDATE, DELETE ON lapse.quarantine TO lapse_runner;
GRANT INSERT (account_id, reason, held_at, held_until), UPDATE (released_at) ON lapse.holds TO lapse_runner;
GRANT INSERT, UPDATE ON lapse.purged, lapse.domain_answers TO lapse_runner;
GRANT INSERT, DELETE ON lapse.undone TO lapse_runner;
GRANT INSERT ON lapse.plans TO lapse_runner;
GRANT DELETE ON lapse.runs, lapse.files TO lapse_runner;
