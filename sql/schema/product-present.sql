-- Whether somebody else made the product's tables (or views) already.
SELECT count(*) AS present
FROM pg_catalog.pg_namespace n
WHERE n.nspname = 'saas'
