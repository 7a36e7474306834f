# The import: a provider's file of one line a month and customer, judged and loaded, beside psql's \copy
# into the staged table's like and into the lines' like. The job's report is not measured.
package Bench::Import;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use lib dirname(__FILE__) . '/..';
use Bench::Measure;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(bench_import make_billing import_billing);

my $file = "$dir/billing.csv";

# A file of so many lines, and the customers in it, added to the working database.
sub make_billing {
    my ($lines) = @_;
    my $customers = int(($lines + 3) / 4);
    sql($work, "INSERT INTO saas.accounts (account_id, name, created_at)
        SELECT 100000000 + n, 'billed ' || n, '2020-01-01' FROM generate_series(1, $customers) n",
        "INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, unit_amount, currency, period_months, started_at, period_end, external_ref)
         SELECT 100000000 + n, 'base', 'pro', 'self_serve', 'active', 10, 1500, 'EUR', 1, '2020-01-01', '2026-01-15', 'sub_' || n
         FROM generate_series(1, $customers) n", 'VACUUM ANALYZE');
    my $instant = sub { return "to_char(timestamp '$_[0]' + make_interval(months => k), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')" };
    spew("$dir/peer.sql", "\\copy (SELECT 'INV-' || to_char(n, 'FM0000000') || '-' || k AS invoice_number, 1 AS line_number, 'sub_' || n AS customer_ref, "
        . "'pro' AS plan, 10 AS seats, " . $instant->('2025-09-15') . ' AS period_start, ' . $instant->('2025-10-15') . ' AS period_end, '
        . "'150.00' AS amount, 'EUR' AS currency, 'paid' AS status, NULL AS paid_at FROM generate_series(0, 3) k, generate_series(1, $customers) n "
        . "ORDER BY n, k LIMIT $lines) TO '$file' WITH (FORMAT csv, HEADER)\n");
    run('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $work, '-f', "$dir/peer.sql");
}

sub import_billing {
    my ($lines) = @_;
    sql($work, 'TRUNCATE saas.billing_lines, lapse.billing_files', 'CHECKPOINT');
    # One account: what is compared and reported is not what is measured.
    my @took = timed_lapse($work, 'run', 'reconcile-billing', '--as-of', $as_of, '--account', 100000001, '--format', 'csv', '--input', $file);
    my $loaded = value($work, 'SELECT count(*) FROM saas.billing_lines');
    die "bench: $loaded lines loaded, not $lines\n" if $loaded != $lines;
    return @took;
}

sub copying {
    my ($table) = @_;
    return sub {
        sql($work, "TRUNCATE public.$table", 'CHECKPOINT');
        return timed("$dir/peer.out", 'psql', '-Xq', '-d', $work, '-c', "\\copy public.$table FROM '$file' WITH (FORMAT csv, HEADER)");
    };
}

# What a person would write who judges nothing: a copy, and one statement for all lines.
sub by_hand {
    sql($work, 'TRUNCATE public.staged, saas.billing_lines', 'CHECKPOINT');
    return timed_psql($work, "\\copy public.staged FROM '$file' WITH (FORMAT csv, HEADER)\n" . <<'SQL');
INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, external_ref, plan, seats, period_start, period_end, amount, currency, status, paid_at)
SELECT s.account_id, b.invoice_number, b.line_number, b.customer_ref, b.plan, b.seats, b.period_start, b.period_end, b.amount * 100, b.currency, b.status, b.paid_at
FROM public.staged b
JOIN saas.subscriptions s ON s.external_ref = b.customer_ref;
SQL
}

sub bench_import {
    restore();
    make_billing($size{lines});
    sql($work, "CREATE UNLOGGED TABLE public.staged (invoice_number text, line_number integer, customer_ref text, plan text, seats integer,
         period_start timestamptz, period_end timestamptz, amount numeric, currency char(3), status text, paid_at timestamptz)",
        'CREATE TABLE public.lines (LIKE public.staged, PRIMARY KEY (customer_ref, invoice_number, line_number))');
    contest({name => 'import, judged and loaded', run => sub { return import_billing($size{lines}) }},
            {name => 'psql \copy into a plain table', ratio_at_most => '1.5', run => copying('staged')},
            {name => 'psql \copy into a table with that key', run => copying('lines')},
            {name => 'psql \copy, then one INSERT ... SELECT of all', run => \&by_hand});
    unlink $file;
}

1;
