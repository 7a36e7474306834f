-- T5: the code `c` was verified during the trial `e`, which ends at `e.ends_at`, and nobody used it.
(c.verified_at >= e.started_at AND c.verified_at < e.ends_at AND c.redeemed_at IS NULL)
