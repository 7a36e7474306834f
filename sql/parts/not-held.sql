-- No hold is on the account: change jobs leave held ones alone, promises are not made for them.
NOT EXISTS (
  SELECT FROM lapse.holds h
  WHERE h.account_id = s.account_id
    AND h.released_at IS NULL
    AND (h.held_until IS NULL OR h.held_until > :'as_of'::timestamptz))
