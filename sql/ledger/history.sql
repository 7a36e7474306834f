-- Runs, newest first.
SELECT r.run_id, r.job, r.as_of, r.trigger, r.state, r.started_at, r.finished_at,
       round(extract(epoch FROM r.finished_at - r.started_at), 1) AS seconds,
       (r.counters ->> 'looked_at')::bigint AS looked_at,
       (r.counters ->> 'changed')::bigint AS changed,
       (r.counters ->> 'skipped')::bigint AS skipped,
       (r.counters ->> 'files')::bigint AS files, r.status, r.message,
       (SELECT string_agg('by ' || n.undo_run, ', ' ORDER BY n.undo_run)
        FROM (
          SELECT DISTINCT u.undo_run
          FROM lapse.undone u
          JOIN lapse.changes c ON c.account_id = u.account_id AND c.change_id = u.change_id
          WHERE c.run_id = r.run_id
        ) n) AS undone
FROM lapse.runs r
WHERE :'job'::text IS NULL OR r.job = :'job'::text
ORDER BY r.run_id DESC
LIMIT :'limit'::bigint
