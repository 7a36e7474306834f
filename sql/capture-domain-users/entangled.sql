-- A domain that several accounts capture: who has it hangs on the plans of all of them.
SELECT min(d.account_id) AS account_id
FROM saas.domains d
WHERE d.capture_enabled_at IS NOT NULL
GROUP BY lower(d.domain)
HAVING count(DISTINCT d.account_id) > 1
LIMIT 1
