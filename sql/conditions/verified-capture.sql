-- Condition 8: capture is on for verified domains only (W2).
SELECT d.account_id, 'capture is on for ' || d.domain || ', which is not verified' AS finding
FROM saas.domains d
WHERE d.capture_enabled_at <= :'as_of'::timestamptz
  AND (d.verified_at IS NULL OR d.verified_at > :'as_of'::timestamptz)
ORDER BY d.account_id, d.domain COLLATE "C"
