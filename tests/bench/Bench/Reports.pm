# Reports: the query, its rows and both files, beside psql and what a person would script.
package Bench::Reports;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use List::Util qw(max);
use lib dirname(__FILE__) . '/..';
use Bench::Measure;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(bench_flat bench_reading bench_activity bench_activity_csv bench_job activity_report);

sub copy_of {
    my ($statement) = @_;
    return 'COPY (' . statement($statement) . ") TO STDOUT (FORMAT csv, HEADER);\n";
}

# psql's COPY of what our report lists.
sub copy_peer {
    my ($job, %more) = @_;
    return {name => 'psql COPY CSV', %more, run => sub {
        my @took = timed_psql($work, copy_of("$job/report"));
        my ($ours) = glob "$out/*/$job.csv";
        die "bench: the CSV files differ in their rows\n" if $ours && lines($ours) != lines("$dir/peer.out");
        return @took;
    }};
}

sub report {
    my ($job, $formats) = @_;
    return timed_lapse($work, 'run', $job, '--as-of', $as_of, '--format', $formats);
}

sub activity_report { return report('activity-report', 'csv,xlsx') }

# No job's report is one table alone. Nearest is a month's plan changes: ten columns of one table in
# the order of its key, with the account's name.
sub restore_flat {
    my $accounts = max(int($size{users} / 200), 5);
    restore();
    sql($work, "INSERT INTO saas.plan_changes (account_id, from_plan, to_plan, from_seats, to_seats, reason, effective_at, processed_at)
        SELECT 1 + n * 7919 % $accounts, 'pro', 'essentials', 10 + n % 90, -1, (ARRAY['expired_without_renewal', 'manual_downgrade', 'trial_ended'])[1 + n % 3],
               timestamptz '2025-12-01' + make_interval(secs => n % 2600000), timestamptz '2025-12-31'
        FROM generate_series(1::bigint, $size{users}) n", 'VACUUM ANALYZE saas.plan_changes');
}

sub bench_flat {
    my $note = 'plan-changes-report is nearest to a flat table: ten columns of one, with the account\'s name; its run also counts the rows and adds them up, which COPY alone does not';
    restore_flat();
    my $asked = join '', map { statement("plan-changes-report/$_") . ";\n" } qw(candidates figures);
    my $all = {name => 'psql COPY CSV, count and sums', run => sub {
        return timed_psql($work, $asked . copy_of('plan-changes-report/report'));
    }};
    contest({name => 'flat query, CSV', run => sub { return report('plan-changes-report', 'csv') }},
            copy_peer('plan-changes-report', ratio_at_most => '0.9', note => $note), $all);
    contest({name => 'flat query, CSV and XLSX', run => sub { return report('plan-changes-report', 'csv,xlsx') }},
            copy_peer('plan-changes-report', ratio_at_most => '1.7', note => $note), $all);
}

# How rows are best fetched: libpq's three ways, of the same statements, with nothing done with the rows.
sub bench_reading {
    restore_flat();
    for my $job ('plan-changes-report', 'activity-report') {
        my $file = "$dir/read.sql";
        spew($file, statement("$job/report"));
        my ($single, @copies) = map { my $way = $_; {name => $way =~ tr/-/ /r, run => sub {
            return timed("$dir/read.out", "$build/tests/bench/read_rows", $way, $work, $file);
        }} } qw(single copy-text copy-binary);
        contest({%$single, name => "reading $job, a row at a time", $job eq 'activity-report' ? (rounds => 1) : ()}, @copies);
    }
}

sub bench_activity {
    restore();
    contest({name => 'activity-report, CSV and XLSX', run => \&activity_report}, copy_peer('activity-report', ratio_at_most => '0.5'));
}

sub bench_activity_csv {
    restore();
    contest({name => 'activity-report, CSV', run => sub { return report('activity-report', 'csv') }}, copy_peer('activity-report'));
}

# One round: such a script takes minutes.
sub bench_job {
    restore();
    contest({name => 'activity-report, CSV and XLSX', rounds => 1, run => \&activity_report},
            {name => 'psql COPY, then XlsxWriter', ratio_at_most => '1/10', missing => missing_module('xlsxwriter'), note => 'one round', run => sub {
                 my ($copy) = timed_psql($work, copy_of('activity-report/report'));
                 my ($write) = timed("$dir/lapse.out", $python, "$top/tests/bench/peers/csv_to_workbook.py", "$dir/peer.out", "$dir/peer.xlsx");
                 unlink "$dir/peer.xlsx";
                 return $copy + $write;
             }});
}

1;
