-- Whether there are tables of lapse.
SELECT CASE WHEN to_regclass('lapse.schema_version') IS NULL THEN 0 ELSE 1 END AS present
