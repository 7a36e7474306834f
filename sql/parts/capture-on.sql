-- V1: capture is on for the domain: verified, enabled, not suspended.
d.verified_at <= :'as_of'::timestamptz
AND d.capture_enabled_at <= :'as_of'::timestamptz
AND (d.suspended_at IS NULL OR d.suspended_at > :'as_of'::timestamptz)
