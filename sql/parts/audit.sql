-- Every row of `written` goes into the audit, in the transaction of the change itself.
audited AS (
  INSERT INTO lapse.changes (account_id, run_id, batch_no, entity, entity_id, before, after, reason,
                             effective_at)
  SELECT w.account_id, :'run_id'::bigint, :'batch_no'::integer, w.entity, w.entity_id, w.before,
         w.after, w.reason, w.effective_at
  FROM written w
  ORDER BY w.account_id, w.entity, w.entity_id
  RETURNING account_id
)
