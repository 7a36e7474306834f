-- The file is in; in a dry run the next one comes in the same transaction.
DROP TABLE pg_temp.staged_lines, pg_temp.staged_customers
