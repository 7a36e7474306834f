# Where the bench works, how big it is, and lapse's statements as psql takes them.
package Bench::Setup;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);

our @EXPORT = qw($top $build $dir $lapse $fsync $as_of $next_day %size scaled memory_kib slurp spew literal statement with_commas);

our $top = abs_path(dirname(__FILE__) . '/../../..');
our $build = abs_path($ENV{LAPSE_TEST_BUILD} || "$top/build") || "$top/build";
our $dir = $ENV{LAPSE_TEST_BENCH} || "$build/bench";
our $lapse = "$build/lapse";
our $as_of = '2026-01-01T00:00:00Z';
our $next_day = '2026-01-02T00:00:00Z';
our $fsync = $ENV{LAPSE_TEST_FSYNC} || 'on'; # off where nothing is to be timed
delete @ENV{grep { /^LAPSE_/ || /^PG/ } keys %ENV}; # nobody else's settings

# rows: of a workbook from memory; slow_rows: where the peer is slow; commits: of the peer that commits each row.
our %size = (users => 1_000_000, rounds => 3, rows => 1_000_000, slow_rows => 100_000, commits => 5_000, night_users => 10_000_000);

# The data of so many users: all else grows with them.
sub scaled {
    my ($users) = @_;
    return (users => $users, map { $_ => int($size{$_} * $users / $size{users}) } qw(invitations due lines));
}

# The machine's.
sub memory_kib {
    my ($kib) = slurp('/proc/meminfo') =~ /^MemTotal: +(\d+)/m or die "/proc/meminfo: no MemTotal\n";
    return $kib;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$file>;
}

sub spew {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

sub with_commas {
    my ($number) = @_;
    1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
    return $number;
}

# A statement of sql/ with its includes, ready for psql; a value that is not given is NULL.
sub expanded {
    my ($path, $values) = @_;
    my $text = '';
    for my $line (split /\n/, slurp($path)) {
        if ($line =~ /^ *--include (\S+)/) {
            $text .= expanded("$top/sql/parts/$1.sql", $values);
        } elsif ($line !~ /^ *(--|$)/) {
            $line =~ s/:'([a-z_]+)'/literal($values->{$1})/ge;
            $text .= "$line\n";
        }
    }
    return $text;
}

sub literal {
    my ($value) = @_;
    return 'NULL' unless defined $value;
    $value =~ s/'/''/g;
    return "'$value'";
}

# What the runner gives to every statement, over all accounts and with the settings' defaults.
sub statement {
    my ($name) = @_;
    my ($least, $greatest) = ('-9223372036854775808', '9223372036854775807');
    return expanded("$top/sql/$name.sql", {
        as_of => $as_of, job => dirname($name), run_id => 1, batch_no => 1, batch_rows => 10000,
        from_account => $least, from_id => $least, to_account => $greatest, to_id => $greatest,
        run_ids => '{1}', as_ofs => "{$as_of}", window => 90, profile => 'extended',
        legacy_login_rule => 'fallback', renewal_grace => '0 h', personal_workspace_can_lapse => 'no',
    });
}

1;
