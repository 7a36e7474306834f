# Files: full disks, limits, errors in write, fsync, rename and close; a target folder that is wrong.
# Never an invalid published file; 74, 73 or 81; the set before untouched; the next run completes and
# sweeps what was left. And: same data, same bytes.
#
#   LAPSE_TEST_POINTS=N   how many places each kind of fault strikes at, default 5; 0: every one
use strict;
use warnings;
use lib 'tests/lib';
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Lapse;
use POSIX ();
use Test::More;

my $points = $ENV{LAPSE_TEST_POINTS} // 5;
my $due = 300;
my @run = ('run', 'expire-invitations', '--as-of', '2026-03-01');

sub library {
    my ($name) = @_;
    my $path = "$Lapse::build/tests/$name.so";
    make_path("$Lapse::build/tests");
    my $r = Lapse::command({}, $ENV{CC} || 'cc', '-O1', '-shared', '-fPIC', '-o', "$path.$$", "$Lapse::top/tests/tools/$name.c", '-ldl');
    die $r->{stderr} if $r->{status};
    rename "$path.$$", $path or die "$path: $!";
    return $path;
}
my $preload = library('faultio');

my $db = Lapse::database();
$db->sql(qq{
    INSERT INTO saas.accounts (account_id, name, created_at) SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
    SELECT g, g, 'Organization ' || g, 'active', '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT g, 'user' || g || '\@example.org', 'User ' || g, '2025-01-01' FROM generate_series(1, 300) g;
    INSERT INTO saas.licenses (account_id, user_id, source, granted_at) SELECT 1 + g % 3, g, 'manual', '2025-01-01' FROM generate_series(1, 300) g;
    INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
    SELECT 1 + g % 3, g, 'guest' || g || '\@example.org', 1 + g % 3, 'member', 'pending', '2026-01-10' FROM generate_series(1, $due) g});
my $out = $db->dir . '/out';

# As before the run, with a set of an earlier date and an older version of this date's.
sub reset_all {
    my ($where) = @_;
    $where //= $out;
    $db->sql("TRUNCATE lapse.runs, lapse.changes, lapse.batches, lapse.periods, lapse.files;
        UPDATE lapse.chain_head SET chain_no = 0, digest = repeat('0', 64);
        UPDATE saas.invitations SET status = 'pending', closed_at = NULL");
    Lapse::command({}, '/bin/sh', '-c', 'rm -rf "$1"/* "$1"/.[a-z]*', 'sh', $where) if -d $where;
    my $r = $db->lapse('run', 'activity-report', '--as-of', '2026-02-01', '--format', 'csv', '--out', $where);
    die $r->{stderr} if $r->{status};
    return sums($where);
}

sub sums { my ($where) = @_; return Lapse::command({}, '/bin/sh', '-c', 'cd "$1" && readlink latest; cat latest/SHA256SUMS; cd latest && sha256sum --quiet -c SHA256SUMS 2>&1', 'sh', $where)->{stdout} }
sub dir_of { my ($path) = @_; opendir my $dir, $path or return (); return grep { !/^\.\.?$/ } readdir $dir }

my ($noisy, $hintless) = ('', ''); # what a library printed by itself; errors that say not what to do

# What a fault left: faults of what it left, '' where all is as it should be.
sub judge {
    my ($r, $where, $before, $after, $allowed) = @_;
    my @wrong;
    my $now = sums($where);
    push @wrong, "status $r->{status}: $r->{stderr}" unless $r->{status} =~ /^($allowed)$/;
    my $said = $r->{stderr} =~ s/^\[(?:ERROR|WARNING)\][^\n]*\n//gmr;
    $noisy = $r->{stderr} if $said ne $r->{stderr};
    $hintless = $said if $said =~ /\Alapse: [^\n]+\n\z/;
    push @wrong, "not one line and a hint: $said" if $r->{status} && $said !~ /\A(lapse: [^\n]+\n(  hint: [^\n]+\n)?)+\z/;
    if ($r->{status} == 0) { push @wrong, '0, but it is not published' if $now ne $after }
    else { push @wrong, "status $r->{status}, but what is published has changed" if $now ne $before }
    my $n = $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'expired'");
    my $audit = $db->one('SELECT count(*) FROM lapse.changes');
    push @wrong, "$n changed, $audit in the audit" if $n != $audit;
    push @wrong, "81, but $n changed" if $r->{status} == 81 && $n != $due;
    push @wrong, "$r->{status}, but $n changed: 81 is the word" if $r->{status} =~ /^7[34]$/ && $n > 0;
    my $next = $db->lapse(@run, '--out', $where);
    push @wrong, "the next run: $next->{status} $next->{stderr}" if $next->{status};
    push @wrong, 'the next run publishes other bytes' if sums($where) ne $after;
    my @left = grep { /^\.(staging|latest|swapping)/ } dir_of($where);
    push @wrong, "left: @left" if @left;
    return join '; ', @wrong;
}

reset_all();
my $whole = $db->lapse(@run, '--out', $out);
is $whole->{status}, 0, 'undisturbed' or diag $whole->{stderr};
my $after = sums($out);

sub some {
    my ($all) = @_;
    return (1 .. $all) if !$points || $points >= $all;
    my %seen;
    return grep { !$seen{$_}++ } map { 1 + int($_ * ($all - 1) / ($points - 1)) } 0 .. $points - 1;
}

for my $call ('write', 'fsync', 'rename', 'close') {
    subtest "errors in $call" => sub {
        reset_all();
        # The sanitizer's own library wants to be loaded first, and need not be.
        my $asan = join ':', grep { defined } $ENV{ASAN_OPTIONS}, 'verify_asan_link_order=0';
        my %env = (ASAN_OPTIONS => $asan, LD_PRELOAD => $preload, LAPSE_TEST_FAULT_CALL => $call, LAPSE_TEST_FAULT_UNDER => $out, LAPSE_TEST_FAULT_COUNT => $db->dir . '/count', LAPSE_TEST_FAULT_AT => 0);
        $db->lapse_env(\%env, @run, '--out', $out);
        my $calls = 0 + Lapse::slurp($db->dir . '/count');
        cmp_ok $calls, '>', 1, "$calls calls";
        for my $at (some($calls)) {
            for my $errno ($call eq 'rename' ? 'EIO' : ('EIO', $at % 2 ? 'ENOSPC' : 'EDQUOT')) {
                for my $once (1, 0) {
                    next if $once && $errno ne 'EIO'; # a full disk stays full
                    my $before = reset_all();
                    my $r = $db->lapse_env({ %env, LAPSE_TEST_FAULT_AT => $at, LAPSE_TEST_FAULT_FOR => $once, LAPSE_TEST_FAULT_ERRNO => POSIX->can($errno)->() }, @run, '--out', $out);
                    # An error of a close after a good fsync, or of a temporary of the workbook, may be harmless.
                    my $wrong = judge($r, $out, $before, $after, '0|73|74|81');
                    is $wrong, '', "$errno at $call $at" . ($once ? '' : ' and after') . " ($r->{status})";
                }
            }
        }
    };
}

subtest 'a limit on the size of files' => sub {
    for my $kib (0, 1, 2, 4, 8, 16, 24, 32, 1024) {
        my $before = reset_all();
        # The limit is lapse's alone: what it prints goes through a pipe.
        my $r = Lapse::command($db->env, '/bin/bash', '-c', "( ulimit -f $kib; exec \"\$@\" ) 2>&1 >/dev/null | cat >&2; exit \${PIPESTATUS[0]}", 'bash', $Lapse::lapse, @run, '--out', $out);
        my $wrong = judge($r, $out, $before, $after, '0|73|74|81');
        is $wrong, '', "ulimit -f $kib ($r->{status})";
    }
};

subtest 'a small file system' => sub {
    my $mount = tempdir('lapse-small-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    my $try = Lapse::command({}, '/bin/mount', '-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', $mount);
    if ($try->{status}) { rmdir $mount; plan skip_all => "mounting is not allowed here: $try->{stderr}" }
    Lapse::command({}, '/bin/umount', $mount);
    my $mounted = 0;
    for my $kib (40, 48, 56, 64, 80, 96, 128, 160) {
        Lapse::command({}, '/bin/mount', '-t', 'tmpfs', '-o', "size=${kib}k,mode=0750", 'tmpfs', $mount)->{status} == 0 or next;
        my $where = "$mount/out";
        my $before = eval { reset_all($where) };
        if (!defined $before) { pass "$kib KiB do not even hold the set before"; Lapse::command({}, '/bin/umount', $mount); next }
        my $r = $db->lapse(@run, '--out', $where);
        my $now = sums($where);
        Lapse::command({}, '/bin/mount', '-o', 'remount,size=4m', $mount);
        my $wrong = judge($r, $where, $before, $after, '0|73|74|81');
        is $wrong, '', "$kib KiB ($r->{status})";
        Lapse::command({}, '/bin/umount', $mount);
    }
    for my $inodes (3, 5, 7, 8, 9, 10, 12, 14) {
        Lapse::command({}, '/bin/mount', '-t', 'tmpfs', '-o', "size=4m,nr_inodes=$inodes,mode=0750", 'tmpfs', $mount)->{status} == 0 or next;
        my $where = "$mount/out";
        my $before = eval { reset_all($where) };
        if (defined $before) {
            my $r = $db->lapse(@run, '--out', $where);
            Lapse::command({}, '/bin/mount', '-o', 'remount,nr_inodes=1000', $mount);
            is judge($r, $where, $before, $after, '0|73|74|81'), '', "$inodes inodes ($r->{status})";
        }
        Lapse::command({}, '/bin/umount', $mount);
    }
    rmdir $mount;
};

is $noisy, '', 'no library prints anything of its own';
is $hintless, '', 'every error says what to do';

subtest 'the folder goes wrong' => sub {
    my $in_the_way = sub {
        my ($name, $allowed, $break, $mend, %how) = @_;
        my $before = reset_all();
        $break->();
        my $r = $db->lapse(@run, '--out', $out);
        $mend->();
        $before = sums($out) if $how{moves};
        is judge($r, $out, $before, $after, $allowed), '', "$name ($r->{status})";
    };
    $in_the_way->('a directory in the way of latest', '73', sub { rename "$out/latest", "$out/aside"; mkdir "$out/latest"; Lapse::spew("$out/latest/x", '') },
        sub { unlink "$out/latest/x"; rmdir "$out/latest"; rename "$out/aside", "$out/latest" });
    $in_the_way->('a file in the way of the date', '73|81', sub { Lapse::spew("$out/2026-03-01", 'x') }, sub { unlink "$out/2026-03-01" });
    $in_the_way->('a link in the way of the date', '73|81', sub { symlink '/tmp', "$out/2026-03-01" }, sub { unlink "$out/2026-03-01" });
    $in_the_way->('a folder of somebody else in the way of the date', '73|81|82', sub { mkdir "$out/2026-03-01"; Lapse::spew("$out/2026-03-01/notes.txt", 'x') }, sub { unlink "$out/2026-03-01/notes.txt"; rmdir "$out/2026-03-01" });
    $in_the_way->('the folder is a link', '78', sub { rename $out, "$out.real"; symlink "$out.real", $out }, sub { unlink $out; rename "$out.real", $out });
    SKIP: {
        skip 'chattr is not possible here', 1 if Lapse::command({}, '/usr/bin/chattr', '+i', $out)->{status};
        Lapse::command({}, '/usr/bin/chattr', '-i', $out);
        $in_the_way->('the folder is immutable', '73', sub { Lapse::command({}, '/usr/bin/chattr', '+i', $out) }, sub { Lapse::command({}, '/usr/bin/chattr', '-i', $out) });
    }
};

subtest 'leftovers of killed runs are swept, and nothing else' => sub {
    reset_all();
    my $random = '0123456789abcdef';
    mkdir "$out/.staging-99999-$random";
    Lapse::spew("$out/.staging-99999-$random/half.csv", 'x');
    symlink '2026-02-01', "$out/.latest-$random";
    mkdir "$out/.staging-mine";
    Lapse::spew("$out/notes.txt", 'kept');
    is $db->lapse(@run, '--out', $out)->{status}, 0, 'a run';
    is_deeply [sort grep { !/^\.retired/ } dir_of($out)], [sort '.staging-mine', 'notes.txt', 'latest', '2026-02-01', '2026-03-01'], 'only what is lapse\'s own is gone';
};

subtest 'same data, same bytes' => sub {
    my %sums;
    my @locales = ('C', 'de_DE.UTF-8', 'tr_TR.UTF-8');
    for my $locale (@locales) {
        for my $zone ('UTC', 'Pacific/Apia', 'America/St_Johns') {
            my $r = $db->lapse_env({ LC_ALL => $locale, LANG => $locale, TZ => $zone, PGTZ => $zone, PGDATESTYLE => 'German', PGCLIENTENCODING => 'LATIN1' }, @run, '--out', $out);
            is $r->{status}, 0, "$locale, $zone";
            my ($digest) = Lapse::command({}, '/bin/sh', '-c', 'cat "$1/latest/"*.csv "$1/latest/"*.xlsx | sha256sum', 'sh', $out)->{stdout} =~ /(\w+)/;
            $sums{$digest}++;
        }
    }
    is scalar keys %sums, 1, 'one SHA-256';
    note 'locales installed: ', join ' ', grep { my $l = $_; grep { lc($_ =~ s/-//gr) eq lc($l =~ s/-//gr) } split /\n/, `locale -a` } @locales;
};

done_testing;
