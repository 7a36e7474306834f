-- D6: the instant of a change of seats has come.
(s.next_seats IS NOT NULL AND s.next_seats_from <= :'as_of'::timestamptz)
