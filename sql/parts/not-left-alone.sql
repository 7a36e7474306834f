-- What every change job leaves alone: accounts not asked for, held, or set aside by this run.
(:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
AND NOT EXISTS (
  SELECT FROM lapse.holds h
  WHERE h.account_id = s.account_id
    AND h.released_at IS NULL
    AND (h.held_until IS NULL OR h.held_until > :'as_of'::timestamptz))
AND NOT EXISTS (
  SELECT FROM lapse.quarantine q
  WHERE q.account_id = s.account_id AND q.job = :'job'::text)
