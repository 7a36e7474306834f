-- A file on its way in: its lines, and in place of a bad one what is bad about it.
COPY lapse.billing_staged (line, invoice_number, line_number, customer_ref, plan, seats, period_start,
                           period_end, currency, amount, status, paid_at, at, heading,
                           reason)
FROM STDIN
