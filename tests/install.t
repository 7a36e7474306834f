# `make install`: what it puts where, and that all of it works as it stands.
use strict;
use warnings;
use Test::More;
use File::Find qw(find);
use File::Temp qw(tempdir);
use Lapse;

my $make = $ENV{MAKE} || 'make';

# The program is taken as it is: -o keeps make from building it anew.
sub make_ok {
    my ($what, @arguments) = @_;
    my $r = Lapse::command({}, '/usr/bin/env', $make, '-s', '-C', $Lapse::top, "BUILD=$Lapse::build",
        '-o', "$Lapse::build/lapse", $what, @arguments);
    is $r->{status}, 0, "make $what" or diag $r->{stderr};
}

# Files with their modes, relative to the folder.
sub files {
    my ($dir) = @_;
    my %found;
    find({ no_chdir => 1, wanted => sub {
        return unless -f;
        $found{substr $_, length $dir} = sprintf '%04o', (stat)[2] & 07777;
    } }, $dir);
    return \%found;
}

# What the program prints (docs.t compares).
my $sample = Lapse::slurp("$Lapse::top/conf/lapse.ini");

subtest 'as a package does' => sub {
    my $dest = tempdir('lapse-install-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my %expected = (
        '/usr/bin/lapse' => '0755',
        '/usr/share/lapse/roles.sql' => '0644',
        '/usr/share/lapse/README.md' => '0644',
        '/usr/share/lapse/lapse.ini.sample' => '0644',
        '/usr/share/lapse/lapse-stripe.ini' => '0644',
        '/usr/share/lapse/crontab.sample' => '0644',
        '/usr/lib/systemd/system/lapse.service' => '0644',
        '/usr/lib/systemd/system/lapse.timer' => '0644',
        '/usr/lib/sysusers.d/lapse.conf' => '0644',
        '/usr/lib/tmpfiles.d/lapse.conf' => '0644',
        '/etc/lapse/lapse.ini' => '0640',
    );
    my @place = ("DESTDIR=$dest", 'PREFIX=/usr');

    make_ok('install', @place);
    is_deeply files($dest), \%expected, 'files and modes';
    is Lapse::slurp("$dest/usr/share/lapse/lapse.ini.sample"), $sample, 'the sample settings';
    my $settings = Lapse::slurp("$dest/etc/lapse/lapse.ini");
    like $settings, qr{^dir = /var/lib/lapse/reports$}m, 'the settings say where reports go';
    is $settings =~ s{^dir = /var/lib/lapse/reports$}{#dir = /path}mr, $sample, '... and are else the sample';
    for my $unit (qw(service timer)) {
        is Lapse::slurp("$dest/usr/lib/systemd/system/lapse.$unit"), Lapse::slurp("$Lapse::top/conf/lapse.$unit"),
            "lapse.$unit needs no change for /usr";
    }

    Lapse::spew("$dest/etc/lapse/lapse.ini", "[reports]\ndir = /mine\n");
    make_ok('install', @place);
    is Lapse::slurp("$dest/etc/lapse/lapse.ini"), "[reports]\ndir = /mine\n", 'settings that are there stay';

    make_ok('uninstall', @place);
    is_deeply [keys %{ files($dest) }], ['/etc/lapse/lapse.ini'], 'uninstalled, but for the settings';
    ok !-d "$dest/usr/share/lapse", 'its own folder is gone';
};

# Elsewhere than /usr, and used: units, crontab, settings.
my $dir = tempdir('lapse-install-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @place = ("PREFIX=$dir/usr", "SYSCONFDIR=$dir/etc", "STATEDIR=$dir/var");
make_ok('install', @place);

subtest 'systemd' => sub {
    plan skip_all => 'systemd-analyze is not installed' unless grep { -x "$_/systemd-analyze" } split /:/, $ENV{PATH};
    for my $unit (qw(service timer)) {
        my $file = "$dir/usr/lib/systemd/system/lapse.$unit";
        my $r = Lapse::command({}, '/usr/bin/env', 'systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', $file);
        is $r->{status}, 0, "lapse.$unit is valid" or diag $r->{stderr};
        unlike $r->{stderr}, qr{lapse\.$unit}, '... without a remark';
    }
    my $r = Lapse::command({}, '/usr/bin/env', 'systemd-analyze', 'security', '--offline=yes', '--threshold=30',
        "$dir/usr/lib/systemd/system/lapse.service");
    is $r->{status}, 0, 'the service may do little (exposure at most 3.0)' or diag $r->{stdout}, $r->{stderr};
    like Lapse::slurp("$dir/usr/lib/systemd/system/lapse.service"), qr{^ExecStart=\Q$dir\E/usr/bin/lapse run --all$}m,
        'it starts the program where it was installed';
    like Lapse::command({}, '/usr/bin/env', 'systemd-analyze', 'calendar', '*-*-* 02:30:00 UTC')->{stdout},
        qr/Normalized form: \*-\*-\* 02:30:00 UTC/, 'the timer goes by UTC';
};

subtest 'cron' => sub {
    my @lines = grep { !/^\s*(#|$)/ } split /\n/, Lapse::slurp("$dir/usr/share/lapse/crontab.sample");
    my ($job) = map { /^(?:\S+ ){5}(.*)$/ && !/^\w+=/ ? $1 : () } @lines;
    is scalar(grep { !/^\w+=/ } @lines), 1, 'the crontab has one job' or return;

    mkdir "$dir/var";
    mkdir "$dir/var/lapse";
    my $db = Lapse::database();
    my $settings = Lapse::slurp("$dir/etc/lapse/lapse.ini");
    $settings =~ s{^conninfo = ""$}{conninfo = "host=$ENV{PGHOST} port=$ENV{PGPORT} user=$ENV{PGUSER} dbname=@{[$db->name]}"}m
        or fail 'conninfo stands in the settings';
    Lapse::spew("$dir/etc/lapse/lapse.ini", $settings);

    my $r = Lapse::command({}, '/usr/bin/env', '-i', '/bin/sh', '-c', $job);
    is $r->{status}, 0, $job or diag $r->{stderr};
    like $r->{stdout}, qr/files published in \Q$dir\E\/var\/lapse\/reports\//, 'it says what it did';
    my @jobs = split /\n/, Lapse::command({}, $Lapse::lapse, 'jobs', '--json')->{stdout};
    my @published = map { /"job":"([^"]+)","kind":"(?:change|report)"/ ? "$dir/var/lapse/reports/latest/$1.xlsx" : () } @jobs;
    ok @published >= 5 && !grep({ !-s } @published), 'the reports of all jobs are published';
};

make_ok('uninstall', @place);
is_deeply [sort grep { !m{^/var/} } keys %{ files($dir) }], ['/etc/lapse/lapse.ini'], 'uninstalled there, too';

done_testing;
