-- Billing files: what was imported, what of it was bad, what belongs to no customer known here.
-- The lines themselves are saas.billing_lines.

-- A file by its SHA-256: imported once. lines = loaded + unmatched + repeated + bad.
CREATE TABLE lapse.billing_files (
  sha256 text PRIMARY KEY,
  name text NOT NULL,
  bytes bigint NOT NULL,
  lines bigint NOT NULL,
  loaded bigint NOT NULL,
  unmatched bigint NOT NULL,
  repeated bigint NOT NULL,
  bad bigint NOT NULL,
  run_id bigint NOT NULL
);
CREATE INDEX billing_files_bytes ON lapse.billing_files (bytes);

-- Lines set aside, where [rules] max_bad_lines allows any.
CREATE TABLE lapse.billing_bad_lines (
  sha256 text NOT NULL,
  line bigint NOT NULL,
  at integer,
  heading text,
  reason text NOT NULL,
  run_id bigint NOT NULL,
  PRIMARY KEY (sha256, line)
);

-- Lines whose customer is not known here, or stands for several accounts.
CREATE TABLE lapse.billing_unmatched (
  invoice_number text NOT NULL,
  line_number integer NOT NULL,
  customer_ref text NOT NULL,
  accounts bigint NOT NULL,
  plan text,
  seats integer,
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL,
  amount bigint NOT NULL,
  currency char(3) NOT NULL,
  status text NOT NULL,
  paid_at timestamptz,
  source_sha256 text NOT NULL,
  PRIMARY KEY (invoice_number, line_number)
);

-- A file on its way in, inside one transaction that leaves it empty: what a transaction sees here is its
-- own. Not logged: a crash takes the transaction with it. No column says whose a row is, and bad lines
-- leave before the good ones are joined: nobody can analyze the table meanwhile, and a condition would
-- have the planner expect a handful of rows where there are a million.
CREATE UNLOGGED TABLE lapse.billing_staged (
  line bigint NOT NULL,
  invoice_number text,
  line_number integer,
  customer_ref text,
  plan text,
  seats integer,
  period_start timestamptz,
  period_end timestamptz,
  currency char(3),
  amount bigint,
  status text,
  paid_at timestamptz,
  at integer,
  heading text,
  reason text,
  repeated boolean NOT NULL DEFAULT false
);

-- Whom a line belongs to is found by these; over views their own tables need them.
DO $$
BEGIN
  IF (SELECT relkind FROM pg_catalog.pg_class WHERE oid = 'saas.subscriptions'::regclass) IN ('r', 'p') THEN
    CREATE INDEX subscriptions_external_ref ON saas.subscriptions (external_ref, account_id)
      WHERE external_ref IS NOT NULL;
  END IF;
  IF (SELECT relkind FROM pg_catalog.pg_class WHERE oid = 'saas.accounts'::regclass) IN ('r', 'p') THEN
    CREATE INDEX accounts_external_ref ON saas.accounts (external_ref, account_id)
      WHERE external_ref IS NOT NULL;
  END IF;
END
$$;
