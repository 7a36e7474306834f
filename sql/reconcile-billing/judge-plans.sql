-- A plan must be one of ours.
WITH marked AS (
  UPDATE pg_temp.staged_lines b
  SET at = :'at_plan'::integer, heading = :'heading_plan'::text,
      reason = '"' || left(b.plan, 40)
               || '" is no plan here: let [job.reconcile-billing] plans explain it'
  WHERE b.reason IS NULL
    AND b.plan NOT IN (SELECT p.plan FROM saas.plans p)
  RETURNING b.line
)
SELECT count(*) AS marked FROM marked
