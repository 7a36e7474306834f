# Measuring: a command's seconds and memory, ours against its peers in turn, and what came of it.
package Bench::Measure;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use List::Util qw(max min);
use Time::HiRes qw(time);
use lib dirname(__FILE__) . '/..';
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw($out $python @results timed timed_lapse timed_psql lines median contest result skipped missing_module);

our $out = "$dir/out";
our $python = '/usr/bin/python3'; # the one that Debian's packages belong to
our @results;
my $has_time = -x '/usr/bin/time';

# Seconds and MiB at the most of a command that writes its output to a file.
sub timed {
    my ($output, @command) = @_;
    my $usage = "$dir/usage";
    unshift @command, '/usr/bin/time', '-f', '%M', '-o', $usage if $has_time;
    run('sync', '-f', $dir) if $fsync eq 'on';
    my $begun = time;
    run_into($output, @command);
    my $seconds = time - $begun;
    my $mib = $has_time && slurp($usage) =~ /(\d+)\s*\z/ ? $1 / 1024 : undef;
    return ($seconds, $mib);
}

sub timed_lapse {
    my ($database, @arguments) = @_;
    remove_tree($out);
    make_path($out);
    return timed("$dir/lapse.out", lapse_on($database, @arguments, '--out', $out));
}

sub timed_psql {
    my ($database, $text) = @_;
    spew("$dir/peer.sql", "SET TIME ZONE 'UTC';\n$text");
    return timed("$dir/peer.out", 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', "$dir/peer.sql");
}

sub lines {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    my $n = 0;
    $n++ while <$file>;
    return $n;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# The package of a Python module that is not there; undef where it is.
sub missing_module {
    my ($module) = @_;
    my $found = -x $python && system("$python -c 'import $module' 2>/dev/null") == 0;
    return $found ? undef : "python3-$module";
}

# A row of the table, from one figure a round or, with a peer's, from their ratios.
#   what, unit (s, MiB, MB or none), ours and perhaps peer (figures), mib, note
#   ratio_at_most ("0.9", "1/35") or at_most (in the unit): the target
sub result {
    my (%row) = @_;
    my ($ours, $peer) = @row{qw(ours peer)};
    my @ratios = $peer ? map { $ours->[$_] / $peer->[$_] } 0 .. $#$ours : ();
    my %kept = (what => $row{what}, unit => $row{unit} // 's', ours => median(@$ours), mib => $row{mib}, note => $row{note});
    $kept{peer} = median(@$peer) if $peer;
    @kept{qw(least median greatest)} = (min(@ratios), median(@ratios), max(@ratios)) if @ratios;
    if (defined $row{ratio_at_most}) {
        my ($over, $under) = split m{/}, $row{ratio_at_most};
        @kept{qw(target met)} = ($row{ratio_at_most}, $kept{median} <= $over / ($under // 1) ? 'yes' : 'no');
    } elsif (defined $row{at_most}) {
        @kept{qw(limit met)} = ($row{at_most}, $kept{ours} <= $row{at_most} ? 'yes' : 'no');
    }
    push @results, \%kept;
    printf STDERR "  %s: %s\n", $row{what}, join ' ', map { sprintf '%.3f', $_ } @ratios ? @ratios : @$ours;
}

sub skipped {
    my ($what, $missing) = @_;
    push @results, {what => $what, skipped => "$missing is not installed: make bench-deps"};
    print STDERR "  $what: skipped, $missing is not installed\n";
}

# Ours and its peers in turn, and which begins changes; a row for every peer.
#   name, run (gives seconds, MiB), and of a peer also missing (a package) and what else result() takes
sub contest {
    my ($ours, @peers) = @_;
    my @there = grep { !$_->{missing} } @peers;
    my (%seconds, $mib);
    my $rounds = @there ? $ours->{rounds} // $size{rounds} : 0;
    for my $round (1 .. $rounds) {
        my @order = ($ours, @there);
        @order = reverse @order if $round % 2 == 0;
        for my $who (@order) {
            my ($took, $peak) = $who->{run}->();
            push @{$seconds{$who->{name}}}, $took;
            $mib = max($mib // 0, $peak) if $who == $ours && defined $peak;
        }
    }
    for my $peer (@peers) {
        my $what = "$ours->{name} / $peer->{name}";
        if ($peer->{missing}) {
            skipped($what, $peer->{missing});
        } else {
            result(what => $what, ours => $seconds{$ours->{name}}, peer => $seconds{$peer->{name}}, mib => $mib,
                   ratio_at_most => $peer->{ratio_at_most}, note => $peer->{note});
        }
    }
}

1;
