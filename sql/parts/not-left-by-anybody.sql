-- What the promises are made for: accounts neither held nor set aside by any job.
--include not-held
AND NOT EXISTS (SELECT FROM lapse.quarantine q WHERE q.account_id = s.account_id)
