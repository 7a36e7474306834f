-- What earlier runs of the job had set aside and this one has taken is free again.
DELETE FROM lapse.quarantine q
WHERE q.job = :'job'::text
  AND q.run_id <> :'run_id'::bigint
  AND (:'accounts'::bigint[] IS NULL OR q.account_id = ANY (:'accounts'::bigint[]))
