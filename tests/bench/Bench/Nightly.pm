# A night in which nothing is due, and what it takes lapse to begin.
package Bench::Nightly;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use List::Util qw(max);
use Time::HiRes qw(time);
use lib dirname(__FILE__) . '/..';
use Bench::Measure;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(bench_nightly bench_seats bench_start);

sub night {
    my ($when, @jobs) = @_;
    return timed_lapse($work, '--json', 'run', @jobs, '--as-of', $when, '--format', 'csv', '--max-changes', 1_000_000_000);
}

# The night after: nothing is due, yet everything is looked at. Without reconcile-seats, which counts
# every seat and lists every holder in any night.
sub bench_nightly {
    my @jobs = grep { $_ ne 'reconcile-seats' } map { /"job":"([^"]+)","kind":"change"/ ? $1 : () } split /\n/, `$lapse jobs --json`;
    my $users = with_commas($size{night_users});
    my (%seconds, @all, $mib);
    restore(scaled($size{night_users}));
    night($as_of, @jobs);
    sql($work, 'VACUUM ANALYZE');
    for my $round (1 .. $size{rounds}) {
        my ($took, $peak) = night($next_day, @jobs);
        push @all, $took;
        $mib = max($mib // 0, $peak // 0);
        for (split /\n/, slurp("$dir/lapse.out")) {
            my ($job) = /"job":"([^"]+)"/ or next;
            my ($changed, $time) = (/"changed":(\d+)/, /"seconds":([0-9.]+)/);
            die "bench: $job changed $changed rows, none were due\n" if $changed;
            push @{$seconds{$job}}, $time;
        }
    }
    result(what => "nothing due: $_, $users users", ours => $seconds{$_}, at_most => 0.05,
           note => $_ eq 'verify-domains' ? 'asks the DNS in any night; nobody answers here' : undef) for @jobs;
    result(what => "nothing due: these jobs together, $users users", ours => \@all, mib => $mib);
}

sub bench_seats {
    my (@seconds, $mib);
    restore();
    for my $round (1 .. $size{rounds}) {
        my ($took, $peak) = night($as_of, 'reconcile-seats');
        push @seconds, $took;
        $mib = max($mib // 0, $peak // 0);
    }
    result(what => 'reconcile-seats, CSV, ' . with_commas($size{users}) . ' users', ours => \@seconds, mib => $mib);
}

# From the start of the program to its first statement, as the server's log has it.
sub first_statement {
    my (@command) = @_;
    my $log = "$dir/pg/server.log";
    my $end = -s $log;
    my $begun = time;
    run_into("$dir/first.out", @command);
    open my $file, '<', $log or die "$log: $!\n";
    seek $file, $end, 0;
    while (<$file>) {
        return $1 - $begun if /^(\d+\.\d+)_LOG:  (?:statement|execute)/;
    }
    die "bench: no statement in $log\n";
}

sub bench_start {
    my (@ours, @peer);
    restore();
    sql('postgres', "ALTER DATABASE $work SET log_statement = 'all'");
    for (1 .. 7 * $size{rounds}) {
        push @ours, first_statement(lapse_on($work, 'status'));
        push @peer, first_statement('psql', '-XqAt', '-d', $work, '-c', 'SELECT 1');
    }
    result(what => 'program start to first statement / psql\'s', ours => \@ours, peer => \@peer, at_most => 0.01);
}

1;
