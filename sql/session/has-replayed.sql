-- Whether this server has seen everything up to a position of the primary. One that is no standby has.
SELECT (NOT pg_is_in_recovery()
        OR coalesce(pg_last_wal_replay_lsn() >= :'position'::pg_lsn, false))::integer AS replayed
