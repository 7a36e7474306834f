-- What the promises are made for: accounts neither held nor set aside by any job.
NOT EXISTS (
  SELECT FROM lapse.holds h
  WHERE h.account_id = s.account_id
    AND h.released_at IS NULL
    AND (h.held_until IS NULL OR h.held_until > :'as_of'::timestamptz))
AND NOT EXISTS (SELECT FROM lapse.quarantine q WHERE q.account_id = s.account_id)
