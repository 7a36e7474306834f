-- Plans that were carried out, by the SHA-256 that stands in the plan's header: each is applied once.
CREATE TABLE lapse.plans (
  sha256 text PRIMARY KEY,
  as_of timestamptz NOT NULL,
  run_ids bigint[] NOT NULL,
  applied_at timestamptz NOT NULL
);
