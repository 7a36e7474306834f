-- The accounts that jobs have set aside, those that wait longest first.
SELECT q.account_id, a.name AS account, q.job, q.since, q.sqlstate, q.reason
FROM lapse.quarantine q
LEFT JOIN saas.accounts a ON a.account_id = q.account_id
ORDER BY q.since, q.account_id, q.job COLLATE "C"
