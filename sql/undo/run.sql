-- The run to undo, and whether it can be.
SELECT r.run_id, r.job, r.state,
       (SELECT count(*) FROM lapse.changes c WHERE c.run_id = r.run_id) AS changes
FROM lapse.runs r
WHERE r.run_id = :'undo_run'::bigint
