-- Keeps what the DNS said, in place of what a run before was told.
WITH kept AS (
  INSERT INTO lapse.domain_answers AS k (account_id, domain, run_id, outcome, texts, as_of)
  SELECT a.account_id, a.domain, :'run_id'::bigint, a.outcome, a.texts, :'as_of'::timestamptz
  FROM jsonb_to_recordset(:'answers'::jsonb)
    AS a (account_id bigint, domain text, outcome text, texts text[])
  ON CONFLICT (account_id, domain) DO UPDATE
  SET run_id = excluded.run_id, outcome = excluded.outcome, texts = excluded.texts,
      as_of = excluded.as_of
  RETURNING k.account_id
)
SELECT count(*) AS kept
FROM kept
