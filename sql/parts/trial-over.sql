-- T1: a trial is over 14 x 24 h after its start, unless it says its end itself.
(s.trial_ends_at <= :'as_of'::timestamptz
 OR s.trial_ends_at IS NULL AND s.started_at <= :'as_of'::timestamptz - interval '336 hours')
