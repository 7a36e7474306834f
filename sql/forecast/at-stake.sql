-- What a period of the paid bases that a job has lapsed was worth, by currency in its minor unit: seats
-- x unit amount, where the price is known.
SELECT k.currency, k.decimals, sum(k.amount)::bigint AS amount, count(*) AS lapses
FROM (
  SELECT f.currency,
         --include currency-decimals
         AS decimals, f.seats * f.unit_amount AS amount
  FROM lapse.changes c
  JOIN saas.subscriptions f
    ON f.account_id = c.account_id AND f.subscription_id = c.entity_id::bigint
  WHERE c.run_id = :'run_id'::bigint
    AND c.entity = 'subscriptions'
    AND c.reason IN ('expired_without_renewal', 'manual_downgrade')
    AND c.before IS NOT NULL
    AND f.unit_amount IS NOT NULL AND f.currency IS NOT NULL
) k
GROUP BY k.currency, k.decimals
ORDER BY k.currency COLLATE "C"
