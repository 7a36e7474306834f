-- A plan is carried out: it is not applied again.
INSERT INTO lapse.plans (sha256, as_of, run_ids, applied_at)
VALUES (:'plan'::text, :'as_of'::timestamptz, :'run_ids'::bigint[], clock_timestamp())
ON CONFLICT DO NOTHING
