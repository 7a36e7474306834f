-- Paid plans that come up for renewal, one row each: how many of their seats are used, and what their
-- account has not paid yet.
--   ahead    how many days ahead
-- An invoice is open as of the as-of where it is not paid, or was paid later; one for a period that has
-- not begun is not told, for nobody says when it was written. A status of "ended" came later: none.
WITH
--include renewals
SELECT r.account_id, a.name AS account, r.plan, r.channel, r.seats, n.used, r.period_end,
       CASE WHEN isfinite(r.period_end)
            THEN (r.period_end AT TIME ZONE 'UTC')::date
                 - (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date END AS days_to_end,
       CASE WHEN r.status <> 'ended' THEN r.status END AS status,
       i.invoice_number AS open_invoice, r.band
FROM renewals r
JOIN saas.accounts a ON a.account_id = r.account_id
JOIN seats n ON n.account_id = r.account_id
LEFT JOIN LATERAL (
  SELECT l.invoice_number
  FROM saas.billing_lines l
  WHERE l.account_id = r.account_id
    AND (l.status = 'open' OR l.status = 'paid' AND l.paid_at > n.at)
    AND (l.period_start IS NULL OR l.period_start <= n.at)
  ORDER BY l.period_start, l.invoice_number COLLATE "C", l.line_number
  LIMIT 1
) i ON true
ORDER BY r.account_id, r.subscription_id
