-- That each customer stands once: without it the planner hashes the lines in place of the
-- customers.
ANALYZE pg_temp.staged_customers (customer_ref, account_id)
