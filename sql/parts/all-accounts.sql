-- Every account of the batch.
judged AS (
  SELECT s.account_id
  FROM saas.accounts s
  WHERE
    --include account-range
)
