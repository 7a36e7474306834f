-- The newest migration that was applied.
SELECT coalesce(max(v.version), 0) AS version FROM lapse.schema_version v
