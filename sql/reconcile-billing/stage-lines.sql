-- A file on its way in: its lines, and in place of a bad one what is bad about it.
CREATE TEMPORARY TABLE pg_temp.staged_lines (
  line bigint NOT NULL,
  invoice_number text,
  line_number bigint,
  customer_ref text,
  plan text,
  seats bigint,
  period_start timestamptz,
  period_end timestamptz,
  currency char(3),
  amount bigint,
  status text,
  paid_at timestamptz,
  repeats boolean, -- its key may have come before
  at bigint,
  heading text,
  reason text,
  repeated boolean NOT NULL DEFAULT false
) ON COMMIT DROP
