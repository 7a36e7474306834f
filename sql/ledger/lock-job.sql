-- One run per job at a time: the lock lives as long as the transaction that took it.
SELECT pg_try_advisory_xact_lock(hashtextextended('lapse job ' || :'job'::text, 0))::integer AS locked
