-- Accounts with a captured domain of which nobody can tell the plan in force.
WITH
--include broken-base
,
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE m.has_several
    AND EXISTS (
      SELECT FROM saas.domains d
      WHERE d.account_id = m.account_id
        AND
        --include capture-on
    )
),
--include set-aside
