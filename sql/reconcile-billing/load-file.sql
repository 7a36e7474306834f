-- What became of the file's lines, and the staging table is empty again. Bad lines of an earlier import of
-- this file are forgotten.
WITH good AS (
  DELETE FROM lapse.billing_staged b
  RETURNING b.line
),
forgotten AS (
  DELETE FROM lapse.billing_bad_lines l
  WHERE l.sha256 = :'sha'::text AND l.run_id <> :'run_id'::bigint
),
written AS (
  UPDATE lapse.billing_files f
  SET unmatched = u.lines, loaded = (SELECT count(*) FROM good) - u.lines
  FROM (
    SELECT count(*) AS lines
    FROM lapse.billing_unmatched u
    WHERE u.source_sha256 = :'sha'::text
  ) u
  WHERE f.sha256 = :'sha'::text
  RETURNING f.sha256
)
SELECT count(*) - 1 AS lost FROM written
