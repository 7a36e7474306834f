-- An account that the database refused is set aside; `since` stays that of the first time.
INSERT INTO lapse.quarantine AS q (account_id, job, sqlstate, reason, since, run_id)
VALUES (:'account_id'::bigint, :'job'::text, :'sqlstate'::text, :'reason'::text,
        :'as_of'::timestamptz, :'run_id'::bigint)
ON CONFLICT (account_id, job) DO UPDATE
SET sqlstate = excluded.sqlstate, reason = excluded.reason, run_id = excluded.run_id
