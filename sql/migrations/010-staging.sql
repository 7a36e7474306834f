-- A billing file passes through temporary tables (sql/reconcile-billing/stage-lines.sql), which can
-- be analyzed by whoever fills them and leave no dead rows behind.
DROP TABLE lapse.billing_staged;
