-- What became of the file's lines. Bad lines of an earlier import of this file are forgotten.
WITH forgotten AS (
  DELETE FROM lapse.billing_bad_lines l
  WHERE l.sha256 = :'sha'::text AND l.run_id <> :'run_id'::bigint
),
written AS (
  UPDATE lapse.billing_files f
  SET unmatched = u.lines, loaded = (SELECT count(*) FROM pg_temp.staged_lines) - u.lines
  FROM (
    SELECT count(*) AS lines
    FROM lapse.billing_unmatched u
    WHERE u.source_sha256 = :'sha'::text
  ) u
  WHERE f.sha256 = :'sha'::text
  RETURNING f.sha256
)
SELECT count(*) - 1 AS lost FROM written
