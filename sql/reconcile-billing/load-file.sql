-- B4: the file is remembered by its SHA-256, with what became of its lines; the staging table is
-- empty again.
WITH staged AS (
  DELETE FROM lapse.billing_staged b
  WHERE b.run_id = :'run_id'::bigint
  RETURNING b.reason, b.repeated
),
counted AS (
  SELECT count(*) FILTER (WHERE s.reason IS NULL AND NOT s.repeated) AS good,
         count(*) FILTER (WHERE s.repeated) AS repeated,
         count(*) FILTER (WHERE s.reason IS NOT NULL) AS bad,
         (SELECT count(*) FROM lapse.billing_unmatched u
          WHERE u.source_sha256 = :'sha'::text) AS unmatched
  FROM staged s
),
forgotten AS (
  DELETE FROM lapse.billing_bad_lines l
  WHERE l.sha256 = :'sha'::text AND l.run_id <> :'run_id'::bigint
),
written AS (
  INSERT INTO lapse.billing_files (sha256, name, bytes, lines, loaded, unmatched, repeated, bad,
                                   run_id)
  SELECT :'sha'::text, :'file'::text, :'bytes'::bigint, :'lines'::bigint, c.good - c.unmatched,
         c.unmatched, c.repeated, c.bad, :'run_id'::bigint
  FROM counted c
  ON CONFLICT (sha256) DO UPDATE
  SET name = excluded.name, lines = excluded.lines, loaded = excluded.loaded,
      unmatched = excluded.unmatched, repeated = excluded.repeated, bad = excluded.bad,
      run_id = excluded.run_id
)
SELECT c.repeated FROM counted c
