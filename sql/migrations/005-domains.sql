-- What the DNS said of each domain when it was last asked, by the newest run alone: the answers of
-- a run before are replaced. Rows of a run that is over prove nothing any more; who has to decide
-- on an answer asks for those of its own run.
CREATE TABLE lapse.domain_answers (
  account_id bigint NOT NULL,
  domain text NOT NULL,
  run_id bigint NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('answered', 'no_data', 'nxdomain', 'servfail', 'timeout')),
  texts text[] NOT NULL,
  as_of timestamptz NOT NULL,
  PRIMARY KEY (account_id, domain)
);
