-- I1: an invitation is over 30 x 24 h after it was last sent.
(s.expires_at <= :'as_of'::timestamptz
 OR s.expires_at IS NULL AND s.sent_at <= :'as_of'::timestamptz - interval '720 hours')
