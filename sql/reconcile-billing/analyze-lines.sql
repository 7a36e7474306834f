-- How many customers the file has: without it the planner takes a million lines for a few
-- customers'.
ANALYZE pg_temp.staged_lines (customer_ref)
