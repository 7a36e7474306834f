-- An audit row as the chain seals it: columns in table order, jsonb as text, instants in UTC ISO, NULL
-- as \N, separated by tabs.
concat_ws(E'\t',
  c.account_id, c.change_id, c.run_id, c.batch_no, c.entity, c.entity_id,
  coalesce(c.before::text, '\N'), c.after::text, c.reason, c.effective_at::text) || E'\n'
