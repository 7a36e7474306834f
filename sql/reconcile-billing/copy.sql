-- A file on its way in.
COPY pg_temp.staged_lines (line, invoice_number, line_number, customer_ref, plan, seats,
                           period_start, period_end, currency, amount, status, paid_at, repeats,
                           at, heading, reason)
FROM STDIN (FORMAT binary)
