-- What was undone of a plan that was broken off: by the run that made it, and the one that undid it.
SELECT c.run_id, u.undo_run
FROM lapse.undone u
JOIN lapse.changes c ON c.account_id = u.account_id AND c.change_id = u.change_id
WHERE c.run_id = ANY (:'run_ids'::bigint[])
ORDER BY c.run_id, u.undo_run
LIMIT 1
