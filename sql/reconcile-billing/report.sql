-- B2: where the provider's lines and the subscriptions here differ, each difference once.
WITH
--include billing-differences
SELECT f.account_id, a.name AS account, f.invoice, f.finding, f.field,
       CASE WHEN f.finding = 'amount'
            THEN round(f.here::numeric / power(10::numeric, f.decimals), f.decimals)::text
            ELSE f.here END AS here,
       CASE WHEN f.finding = 'amount'
            THEN round(f.there::numeric / power(10::numeric, f.decimals), f.decimals)::text
            ELSE f.there END AS there,
       round(f.amount / power(10::numeric, f.decimals), f.decimals) AS amount,
       f.currency::text AS currency, f.period_start, f.period_end
FROM (
  SELECT f.account_id, f.invoice, f.line_number, f.place, f.finding, f.field, f.here, f.there,
         f.amount, f.currency, f.period_start, f.period_end, f.plan,
         --include currency-decimals
         AS decimals
  FROM found f
) f
LEFT JOIN saas.accounts a ON a.account_id = f.account_id
ORDER BY f.account_id, f.invoice COLLATE "C" NULLS FIRST, f.line_number, f.place, f.period_start,
         f.period_end, f.there COLLATE "C", f.currency COLLATE "C",
         f.plan COLLATE "C"
