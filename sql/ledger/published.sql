-- A published file, as the ledger knows it.
INSERT INTO lapse.files AS f (set_date, folder, name, run_id, rows, bytes, sha256, published_at)
VALUES (:'date'::date, :'folder'::text, :'name'::text, :'run_id'::bigint, :'file_rows'::bigint,
        :'bytes'::bigint, :'sha'::text, clock_timestamp())
ON CONFLICT (folder, set_date, name) DO UPDATE
SET run_id = excluded.run_id, rows = excluded.rows, bytes = excluded.bytes,
    sha256 = excluded.sha256, published_at = excluded.published_at
