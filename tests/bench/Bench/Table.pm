# What was measured: kept per group in results/, shown as one table, a CSV, and in the README.
package Bench::Table;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use JSON::PP ();
use List::Util qw(max uniq);
use lib dirname(__FILE__) . '/..';
use Bench::Measure;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(keep_results print_table write_readme);

my $json = JSON::PP->new->canonical->pretty;

sub sizes {
    return join ', ', map({ with_commas($size{$_}) . " $_" } qw(users invitations due)), with_commas($size{lines}) . ' billing lines', $size{rounds} . ($size{rounds} == 1 ? " round" : " rounds");
}

# Results of another program, or of a server set otherwise, are not shown beside those of this one.
sub measured_with { return md5_hex(slurp($lapse), $fsync, map { "$_=$server{$_}" } sort keys %server) }

sub keep_results {
    my ($group) = @_;
    make_path("$dir/results");
    spew("$dir/results/$group.json", $json->encode({with => measured_with(), sizes => sizes(), rows => \@results}));
    @results = ();
}

# The rows of all groups that were measured with this program and server, and the sizes they were measured at.
sub kept {
    my (@groups) = @_;
    my (@rows, @sizes);
    for my $group (@groups) {
        next unless -f "$dir/results/$group.json";
        my $kept = $json->decode(slurp("$dir/results/$group.json"));
        if (($kept->{with} // '') ne measured_with()) {
            print STDERR "bench: $group was measured with another build or server and is left out\n";
            next;
        }
        push @rows, @{$kept->{rows}};
        push @sizes, $kept->{sizes};
    }
    return (\@rows, join('; ', uniq(@sizes)));
}

sub figure {
    my ($value, $unit) = @_;
    return '' unless defined $value;
    return sprintf '%.1f ms', 1000 * $value if $unit eq 's' && $value < 0.1;
    my $text = with_commas(sprintf $value >= 100 ? '%.0f' : $value >= 10 ? '%.1f' : '%.2f', $value);
    return $unit eq '' ? $text : "$text $unit";
}

sub ratio { return defined $_[0] ? sprintf '%.3f', $_[0] : '' }

sub machine {
    chomp(my $cores = `nproc`);
    my ($version) = `psql --version` =~ /(\d+\.\d+)/;
    return sprintf '%d cores, %.0f GiB of memory, PostgreSQL %s', $cores, memory_kib() / 1048576, $version;
}

my @heads = ('what', 'ours', 'peer', 'least', 'median', 'greatest', 'peak MiB', 'target', 'met');

# The table's cells, and its footnotes.
sub cells {
    my (@rows) = @_;
    my (@cells, @notes);
    for my $row (@rows) {
        my $what = $row->{what};
        if (defined $row->{note}) {
            push @notes, $row->{note} unless grep { $_ eq $row->{note} } @notes;
            my ($mark) = grep { $notes[$_] eq $row->{note} } 0 .. $#notes;
            $what .= ' (' . ($mark + 1) . ')';
        }
        push @cells, defined $row->{skipped} ? [$what, "skipped: $row->{skipped}", ('') x 7]
            : [$what, figure($row->{ours}, $row->{unit}), figure($row->{peer}, $row->{unit}), (map { ratio($row->{$_}) } qw(least median greatest)),
               defined $row->{mib} ? sprintf('%.1f', $row->{mib}) : '', $row->{target} // figure($row->{limit}, $row->{unit}), $row->{met} // ''];
    }
    return (\@cells, \@notes);
}

sub as_csv {
    my (@rows) = @_;
    my @fields = qw(what unit ours peer least median greatest mib target limit met skipped);
    my $csv = join(',', @fields) . "\n";
    for my $row (@rows) {
        my @values = map { $row->{$_} // '' } @fields;
        $csv .= join(',', map { /[,"]/ ? '"' . s/"/""/gr . '"' : $_ } @values) . "\n";
    }
    return $csv;
}

sub print_table {
    my (@groups) = @_;
    my ($rows, $sizes) = kept(@groups);
    my ($cells, $notes) = cells(@$rows);
    my @full = grep { $_->[2] ne '' || $_->[1] !~ /^skipped/ } \@heads, @$cells;
    my @width = map { my $i = $_; max(map { length $_->[$i] } $i ? @full : (\@heads, @$cells)) } 0 .. $#heads;
    spew("$dir/results.csv", as_csv(@$rows));
    printf "\n%s\n%s; fsync %s; %s\n\n", machine(), $sizes, $fsync, join ', ', map { "$_ $server{$_}" } sort keys %server;
    for my $row (\@heads, @$cells) {
        my $line = join '  ', map { sprintf $_ && $row->[1] !~ /^skipped/ ? "%$width[$_]s" : "%-$width[$_]s", $row->[$_] } 0 .. $#heads;
        print $line =~ s/ +$//r, "\n";
    }
    print "\n";
    print '(', $_ + 1, ") $notes->[$_]\n" for 0 .. $#$notes;
    print "least, median, greatest: ours / peer within a round; a target is for the median, or for ours where it has a unit\nAlso in $dir/results.csv\n";
}

# The README's table and chart are what was measured last.
sub write_readme {
    my (@groups) = @_;
    my ($rows, $sizes) = kept(@groups);
    my ($cells, $notes) = cells(@$rows);
    my $readme = "$top/README.md";
    my $text = ucfirst(machine()) . "; $sizes:\n\n| what | ours | peer | ratio (least to greatest) | peak memory | at most | met |\n|---|--:|--:|--:|--:|--:|---|\n";
    for (@$cells) {
        my ($what, $ours, $peer, $least, $median, $greatest, $mib, $target, $met) = map { s/([|\\])/\\$1/gr } @$_;
        $text .= '| ' . join(' | ', $what, $ours, $peer, $median eq '' ? '' : $least eq $greatest ? $median : "$median ($least to $greatest)",
                             $mib eq '' ? '' : "$mib MiB", $target, $met) . " |\n";
    }
    $text .= "\n" . join("\n", map { '(' . ($_ + 1) . ") $notes->[$_]" . ($_ < $#$notes ? '  ' : '') } 0 .. $#$notes) . "\n" if @$notes;
    my $all = slurp($readme);
    $all =~ s/(<!-- tests\/bench\/run --readme -->\n).*?(<!-- end -->)/$1$text$2/s or die "bench: $readme has no place for the table\n";
    spew($readme, $all);
    if (-f "$dir/growth.svg") {
        copy("$dir/growth.svg", "$top/tests/bench/growth.svg") or die "growth.svg: $!\n";
    }
}

1;
