-- The runner's own tables: the ledger of runs, the audit of changes and its chain.
-- The ledger is plain; what has an account_id first in its key can be distributed by it.

CREATE SCHEMA IF NOT EXISTS lapse;

CREATE TABLE lapse.schema_version (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL
);

-- One row per job of an invocation. `attempt` counts who took the run over; a process that has been
-- overtaken finds another number here and stops.
CREATE TABLE lapse.runs (
  run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job text NOT NULL,
  as_of timestamptz NOT NULL,
  trigger text NOT NULL CHECK (trigger IN ('manual', 'cron', 'systemd')),
  state text NOT NULL CHECK (state IN ('running', 'applied', 'done', 'failed', 'stopped', 'superseded')),
  attempt integer NOT NULL DEFAULT 1,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  counters jsonb NOT NULL DEFAULT '{}',
  options jsonb NOT NULL DEFAULT '{}',
  status integer,
  message text,
  settings_digest text NOT NULL,
  changes_digest text,
  version text NOT NULL,
  host text NOT NULL
);
CREATE INDEX runs_job ON lapse.runs (job, run_id);
CREATE INDEX runs_as_of ON lapse.runs (as_of);

-- What each job has been done up to, kept apart from the history so that pruning repeats nothing.
CREATE TABLE lapse.periods (
  job text PRIMARY KEY,
  as_of timestamptz NOT NULL,
  run_id bigint NOT NULL
);

-- Append-only: the runner has no right to update or delete.
CREATE TABLE lapse.changes (
  account_id bigint NOT NULL,
  change_id bigint GENERATED ALWAYS AS IDENTITY,
  run_id bigint NOT NULL,
  batch_no integer NOT NULL,
  entity text NOT NULL,
  entity_id text NOT NULL,
  before jsonb,
  after jsonb NOT NULL,
  reason text NOT NULL,
  effective_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, change_id)
);
CREATE INDEX changes_run ON lapse.changes (run_id, batch_no);

-- The chain over the audit, in commit order. Append-only as well.
CREATE TABLE lapse.batches (
  run_id bigint NOT NULL,
  batch_no integer NOT NULL,
  chain_no bigint NOT NULL UNIQUE,
  first_account bigint,
  last_account bigint,
  rows bigint NOT NULL,
  digest text NOT NULL,
  previous text NOT NULL,
  PRIMARY KEY (run_id, batch_no)
);

-- One row: where the chain ends. Its lock puts batches in commit order.
CREATE TABLE lapse.chain_head (
  one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  chain_no bigint NOT NULL,
  digest text NOT NULL
);
INSERT INTO lapse.chain_head (chain_no, digest) VALUES (0, repeat('0', 64));

-- Accounts that change jobs leave alone until somebody or time releases them.
CREATE TABLE lapse.holds (
  account_id bigint NOT NULL,
  hold_id bigint GENERATED ALWAYS AS IDENTITY,
  reason text NOT NULL,
  held_at timestamptz NOT NULL,
  held_until timestamptz,
  released_at timestamptz,
  PRIMARY KEY (account_id, hold_id)
);

-- Accounts that a job had to set aside, and why. Tried again by every run, gone when it succeeds.
CREATE TABLE lapse.quarantine (
  account_id bigint NOT NULL,
  job text NOT NULL,
  sqlstate text,
  reason text NOT NULL,
  since timestamptz NOT NULL,
  run_id bigint NOT NULL,
  PRIMARY KEY (account_id, job)
);

-- Which files were published, and what they were.
CREATE TABLE lapse.files (
  set_date date NOT NULL,
  folder text NOT NULL,
  name text NOT NULL,
  run_id bigint NOT NULL,
  rows bigint NOT NULL,
  bytes bigint NOT NULL,
  sha256 text NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (folder, set_date, name)
);
