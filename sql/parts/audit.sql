-- Every row of `written` goes into the audit, in the transaction of the change itself. Numbers go by their
-- value (the shorter is the lower): how many digits the database gave a new row must not decide.
audited AS (
  INSERT INTO lapse.changes (account_id, run_id, batch_no, entity, entity_id, before, after, reason,
                             effective_at)
  SELECT w.account_id, :'run_id'::bigint, :'batch_no'::integer, w.entity, w.entity_id, w.before,
         w.after, w.reason, w.effective_at
  FROM written w
  ORDER BY w.account_id, w.entity COLLATE "C", length(split_part(w.entity_id, '/', 1)),
           w.entity_id COLLATE "C"
  RETURNING account_id
)
