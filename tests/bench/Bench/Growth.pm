# How time and memory grow: the nightly run's main pieces at one size after the other, and a chart.
package Bench::Growth;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use List::Util qw(max sum);
use lib dirname(__FILE__) . '/..';
use Bench::Changes;
use Bench::Chart;
use Bench::Import;
use Bench::Measure;
use Bench::Reports;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(bench_growth);

# The pieces, in the order in which one leaves the other's data as they were.
my @pieces = (
    {name => 'activity-report, CSV and XLSX', rows => 'users', run => sub { return activity_report() }},
    {name => 'expire, CSV and XLSX', rows => 'due', run => sub { my (%of) = @_; return expire($of{due}, 'csv,xlsx') }},
    {name => 'import', rows => 'lines', run => sub {
         my (%of) = @_;
         make_billing($of{lines});
         return import_billing($of{lines});
     }},
);

# The exponent b of y = a x^b, by least squares of the logarithms.
sub exponent {
    my (@points) = @_;
    my ($x, $y) = map { my $i = $_; sum(map { log $_->[$i] } @points) / @points } 0, 1;
    my $spread = sum(map { (log($_->[0]) - $x) ** 2 } @points);
    return $spread ? sum(map { (log($_->[0]) - $x) * (log($_->[1]) - $y) } @points) / $spread : 0;
}

sub per_row { return 1e6 * $_[0]{seconds} / $_[0]{rows} }

# Small sizes take as many rounds as asked for; beyond a million users one round is long enough to be sure of.
sub measure {
    my ($users) = @_;
    my %of = scaled($users);
    my $rounds = $users < 1_000_000 ? $size{rounds} : 1;
    my (%seconds, %mib);
    for (1 .. $rounds) {
        restore(%of);
        for my $piece (@pieces) {
            sql($work, 'CHECKPOINT');
            my ($took, $peak) = $piece->{run}->(%of);
            push @{$seconds{$piece->{name}}}, $took;
            $mib{$piece->{name}} = max($mib{$piece->{name}} // 0, $peak // 0);
            printf STDERR "  %s, %s users: %.3f s, %.1f MiB\n", $piece->{name}, with_commas($users), $took, $peak // 0;
        }
    }
    push @{$_->{points}}, {users => $users, rows => $of{$_->{rows}}, seconds => median(@{$seconds{$_->{name}}}), mib => $mib{$_->{name}}} for @pieces;
}

sub bench_growth {
    my (@sizes) = @_;
    my $range = with_commas($sizes[0]) . ' to ' . with_commas($sizes[-1]) . ' users';
    my $csv = "what,users,rows,seconds,us_per_row,peak_mib\n";
    measure($_) for @sizes;
    for my $piece (@pieces) {
        my @points = @{$piece->{points}};
        $csv .= sprintf qq("%s",%d,%d,%.3f,%.3f,%.1f\n), $piece->{name}, @$_{qw(users rows seconds)}, per_row($_), $_->{mib} for @points;
        result(what => "growth of time, exponent: $piece->{name}, $range", unit => '', at_most => 1.15, ours => [exponent(map { [@$_{qw(rows seconds)}] } @points)],
               note => 'time ~ rows^exponent, fitted to the logarithms by least squares; 1 is linear');
        result(what => "growth of time per row, last size / first: $piece->{name}", unit => 'us', ratio_at_most => '1.15',
               ours => [per_row($points[-1])], peer => [per_row($points[0])], note => 'linear within 15 %: a row takes at most 1.15 times as long among the most as among the fewest');
        result(what => "peak memory: $piece->{name}, $range", unit => 'MiB', at_most => 32, ours => [max(map { $_->{mib} } @points)]);
    }
    spew("$dir/growth.csv", $csv);
    spew("$dir/growth.svg", growth_chart(map { {name => $_->{name}, points => $_->{points}} } @pieces));
}

1;
