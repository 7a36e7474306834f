-- A migration has been applied.
INSERT INTO lapse.schema_version (version, name, applied_at)
VALUES (:'version'::integer, :'name'::text, clock_timestamp())
