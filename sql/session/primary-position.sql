-- How far the primary has written: a replica that has replayed this has seen the run's commits.
SELECT pg_current_wal_insert_lsn()::text AS position
