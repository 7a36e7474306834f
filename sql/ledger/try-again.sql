-- A run that is gone on with tries again what it had set aside.
UPDATE lapse.quarantine
SET run_id = 0
WHERE job = :'job'::text AND run_id = :'run_id'::bigint
