-- What every change job leaves alone: accounts not asked for, held, or set aside by this run. What an
-- earlier run set aside is tried again.
(:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
AND
--include not-held
AND NOT EXISTS (
  SELECT FROM lapse.quarantine q
  WHERE q.account_id = s.account_id AND q.job = :'job'::text AND q.run_id = :'run_id'::bigint)
