-- D6: the base lapses before its seats change, and takes the change with it. Reads `lapsing`.
EXISTS (
  SELECT FROM lapsing d
  WHERE d.account_id = s.account_id AND d.subscription_id = s.subscription_id
    AND d.lapses_at < s.next_seats_from)
