-- D1: the period and the grace are over.
s.period_end <= :'as_of'::timestamptz - :'renewal_grace'::interval
