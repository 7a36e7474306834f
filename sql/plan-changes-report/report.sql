-- Every change of plan or seats in the month, one row each.
WITH
--include changes-of-the-month
SELECT c.account_id, a.name AS account, c.from_plan, c.to_plan, c.from_seats, c.to_seats, c.reason,
       c.effective_at, c.processed_at, c.run_id
FROM changes_of_the_month c
JOIN saas.accounts a ON a.account_id = c.account_id
ORDER BY c.account_id, c.change_no
