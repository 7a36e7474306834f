-- The customers of the file: account_id is NULL where no account is the customer, or `accounts`
-- > 1 are.
CREATE TEMPORARY TABLE pg_temp.staged_customers (
  customer_ref text NOT NULL,
  account_id bigint,
  accounts bigint NOT NULL
) ON COMMIT DROP
