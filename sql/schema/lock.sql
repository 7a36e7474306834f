-- One migration at a time.
SELECT pg_advisory_xact_lock(hashtextextended('lapse migrate', 0))::text AS locked
