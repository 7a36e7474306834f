# Settings, as the whole program meets them: the file, the environment, --set, the report folder. The
# details of the file's form are tests/unit/test_conf_faults.c's. Whatever is wrong is 78 (73 where the
# report folder cannot be written), before anything is changed or published.
use strict;
use warnings;
use lib 'tests/lib';
use Lapse;
use Socket;
use Test::More;

my $db = Lapse::database();
my $dir = $db->dir;
my $n = 0;

$db->sql(q{INSERT INTO saas.accounts (account_id, name, created_at) VALUES (1, 'A', '2025-01-01');
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
    VALUES (1, 1, 'O', 'active', '2025-01-01');
    INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at)
    VALUES (1, 'a@example.org', 1, 'member', 'pending', '2026-01-01')});

# A settings file of our own; the caller may still change its mode.
sub file {
    my ($text) = @_;
    my $path = sprintf '%s/%d.ini', $dir, ++$n;
    Lapse::spew($path, $text);
    chmod 0640, $path;
    return $path;
}

sub untouched {
    is $db->one("SELECT count(*) FROM saas.invitations WHERE status = 'pending'"), 1, 'nothing was changed';
    is $db->one('SELECT count(*) FROM lapse.runs'), 0, 'the ledger has no run';
}

# `lapse conf` and `lapse run` both refuse, in the same words.
sub refused {
    my ($name, $env, $arguments, $what, $hint, $status) = @_;
    $status //= 78;
    subtest $name => sub {
        for my $command (['conf'], ['run', 'expire-invitations', '--as-of', '2026-03-01', '--out', "$dir/never"]) {
            my $r = $db->lapse_env($env, @$arguments, @$command);
            is $r->{status}, $status, "status of $command->[0]";
            is $r->{stdout}, '', 'stdout is empty';
            like $r->{stderr}, qr/\Alapse: [^\n]*$what[^\n]*\n  hint: [^\n]+\n\z/, 'one line that says what, and a hint';
            like $r->{stderr}, qr/hint: .*$hint/, 'the hint says what to do' if $hint;
        }
        ok !-e "$dir/never", 'nothing was published';
        untouched();
    };
}

my $good = "[reports]\nformats = csv\n";

# The file itself.
refused('a missing file', {}, ['-c', "$dir/none.ini"], 'none.ini', '--sample');
refused('a missing file by LAPSE_CONFIG', { LAPSE_CONFIG => "$dir/none.ini" }, [], 'none.ini', '--sample');
refused('LAPSE_CONFIG is empty', { LAPSE_CONFIG => '' }, [], 'settings file', undef);
refused('a directory', {}, ['-c', $dir], 'directory', undef);
{
    my $fifo = "$dir/fifo";
    system('mkfifo', $fifo) == 0 or die;
    refused('a FIFO', {}, ['-c', $fifo], 'not a regular file', undef);
    socket my $socket, PF_UNIX, SOCK_STREAM, 0 or die;
    bind $socket, pack_sockaddr_un("$dir/socket.ini") or die;
    refused('a socket', {}, ['-c', "$dir/socket.ini"], 'not a regular file', undef);
    refused('a device', {}, ['-c', '/dev/null'], 'not a regular file', undef);
}
refused('an empty file', {}, ['-c', file('')], 'empty', '--sample');
refused('blank lines alone', {}, ['-c', file("\n \n")], 'empty', '--sample');
for my $mode (0660, 0646, 0666) {
    my $path = file($good);
    chmod $mode, $path;
    refused(sprintf('writable by others (%04o)', $mode), {}, ['-c', $path], 'writable by', 'chmod');
}
SKIP: {
    skip 'the user nobody cannot be had', 2 unless $> == 0 && getpwnam 'nobody';
    my $path = file($good);
    chmod 0000, $path;
    chmod 0755, $dir;
    my $r = Lapse::command({}, '/usr/sbin/runuser', '-u', 'nobody', '--', $Lapse::lapse, '-c', $path, 'conf');
    skip "the user nobody cannot run $Lapse::lapse", 2 if $r->{status} == 1 || $r->{status} == 126;
    is $r->{status}, 78, 'an unreadable file';
    like $r->{stderr}, qr/Permission denied\n  hint: /, '... is told so';
}
refused('65 KiB', {}, ['-c', file($good . '# ' . 'x' x 900 . "\n" x 1 . ("# y\n" x 17000))], '64 KiB', undef);

# What it says. Each names file and line.
for my $case (
    ['unknown key', "[reports]\nformat = csv\n", ':2: .*format', 'formats'],
    ['unknown section', "[report]\nformats = csv\n", ':1: .*report', 'reports'],
    ['key twice', "[reports]\nformats = csv\nformats = xlsx\n", ':3: .*twice', undef],
    ['section twice', "[reports]\nformats = csv\n[rules]\nrenewal_grace = 0 h\n[reports]\ncsv_bom = no\n", ':5: .*twice', undef],
    ['key before a section', "formats = csv\n[reports]\n", ':1: ', undef],
    ['empty section name', "[]\nformats = csv\n", ':1: ', undef],
    ['unclosed section', "[reports\nformats = csv\n", ':1: ', undef],
    ['something behind a section', "[reports] ; c=d\nformats = csv\n", ':1: ', undef],
    ['unquoted #', "[database]\nconninfo = host=a #b\n", ':2: ', undef],
    ['unquoted ;', "[database]\nconninfo = host=a;b\n", ':2: ', undef],
    ['unbalanced quote', "[database]\nconninfo = \"host=a\n", ':2: ', undef],
    ['trailing backslash', "[reports]\nformats = csv\\\n", ':2: ', undef],
    ['backslash ending a comment', "[reports]\n# note \\\nformats = csv\n", ':2: ', undef],
    ['NUL', "[reports]\nformats = c\0sv\n", ':2: ', undef],
    ['byte order mark', "\xef\xbb\xbf[reports]\nformats = csv\n", ':1: ', undef],
    ['UTF-16', "\xff\xfe[\0r\0e\0p\0o\0r\0t\0s\0]\0\n\0", ':1: ', undef],
    ['non-breaking space', "[reports]\nformats =\xc2\xa0csv\n", ':2: ', undef],
    ['a line of 1,001 bytes', "[reports]\n# " . 'x' x 999 . "\n", ':2: ', undef],
    ['030', "[database]\nbatch_rows = 030\n", ':2: .*batch_rows', undef],
    ['a unit glued on', "[database]\ndeadline = 30s\n", ':2: .*deadline', undef],
    ['no unit', "[database]\ndeadline = 30\n", ':2: .*deadline', undef],
    ['nothing', "[database]\nbatch_rows =\n", ':2: .*batch_rows', undef],
    ['negative', "[database]\nbatch_rows = -5\n", ':2: .*batch_rows', undef],
    ['1e3', "[database]\nbatch_rows = 1e3\n", ':2: .*batch_rows', undef],
    ['2^32', "[database]\nbatch_rows = 4294967296\n", ':2: .*batch_rows', undef],
    ['2^64', "[database]\nbatch_rows = 18446744073709551616\n", ':2: .*batch_rows', undef],
    ['Arabic digits', "[database]\nbatch_rows = \xd9\xa1\xd9\xa0\n", ':2: .*batch_rows', undef],
    ['tomorrow for a boolean', "[reports]\ncsv_bom = tomorrow\n", ':2: .*csv_bom', 'yes'],
    ['on for a boolean', "[reports]\ncsv_bom = on\n", ':2: .*csv_bom', 'yes'],
    ['a format twice', "[reports]\nformats = csv,csv\n", ':2: .*formats', undef],
    ['a section named like a key', "[reports]\nformats = csv\n[reports:formats]\n", ':3: ', undef],
    ['a relative folder', "[reports]\ndir = reports\n", ':2: .*dir', '/'],
    ['a password', "[database]\nconninfo = host=/tmp password=secret99\n", ':2: .*password', 'PGPASSFILE'],
    ['a password in a URI', "[database]\nconninfo = postgresql://u:secret99\@h/d\n", ':2: .*password', 'PGPASSFILE'],
) {
    my ($name, $text, $what, $hint) = @$case;
    my $path = file($text);
    refused("in the file: $name", {}, ['-c', $path], "\Q$path\E$what", $hint);
}
{
    my $r = $db->lapse('-c', file("[database]\nconninfo = host=/tmp password=secret99\n"), '-v', 'conf');
    unlike $r->{stdout} . $r->{stderr}, qr/secret99/, 'a password is never shown, not even with -v';
    $r = $db->lapse('-c', file("[reports]\r\nformats = csv\r\n"), 'conf');
    is $r->{status}, 0, 'CRLF is fine';
    like $r->{stdout}, qr/formats +csv +file/, '... and read';
}

# Where a value comes from: default, file, environment, --set.
{
    my $path = file("[database]\nbatch_rows = 11\n");
    my $rows = sub { $_[0]{stdout} =~ /batch_rows +(\S+) +(\S+)/ ? "$1 $2" : 'none' };
    is $rows->($db->lapse('conf')), '10000 default', 'default';
    is $rows->($db->lapse('-c', $path, 'conf')), '11 file', 'file';
    is $rows->($db->lapse_env({ LAPSE_CONFIG => $path }, 'conf')), '11 file', 'file by LAPSE_CONFIG';
    is $rows->($db->lapse_env({ LAPSE_CONFIG => "$dir/none.ini" }, '-c', $path, 'conf')), '11 file', '-c before LAPSE_CONFIG';
    is $rows->($db->lapse_env({ LAPSE_DATABASE_BATCH_ROWS => 12 }, '-c', $path, 'conf')), '12 environment', 'environment';
    is $rows->($db->lapse_env({ LAPSE_DATABASE_BATCH_ROWS => 12 }, '-c', $path, '--set', 'database.batch_rows=13', 'conf')),
        '13 --set', '--set';
}
refused('an environment variable that names nothing', { LAPSE_REPORTS_FORMAT => 'csv' }, [], 'LAPSE_REPORTS_FORMAT', 'LAPSE_REPORTS_FORMATS');
refused('a bad value in the environment', { LAPSE_DATABASE_BATCH_ROWS => '1e3' }, [], 'LAPSE_DATABASE_BATCH_ROWS', undef);
refused('an empty value in the environment', { LAPSE_DATABASE_BATCH_ROWS => '' }, [], 'LAPSE_DATABASE_BATCH_ROWS', undef);
refused('bad UTF-8 in the environment', { LAPSE_DATABASE_CONNINFO => "host=\xff" }, [], 'LAPSE_DATABASE_CONNINFO', undef);
refused('a password in the environment', { LAPSE_DATABASE_CONNINFO => 'password=secret99' }, [], 'password', 'PGPASSFILE');
refused('a bad value by --set', {}, ['--set', 'database.batch_rows=0'], '--set database.batch_rows', undef);
refused('an unknown name by --set', {}, ['--set', 'database.batchrows=5'], 'batchrows', 'batch_rows');
refused('a relative folder by --set', {}, ['--set', 'reports.dir=out'], 'reports.dir', '/');
refused('a password by --set', {}, ['--set', 'database.conninfo=password=secret99'], 'password', 'PGPASSFILE');

# The report folder.
sub run_into {
    my (@arguments) = @_;
    return $db->lapse(@arguments);
}

sub folder {
    my ($name, $status, $what, $hint, @arguments) = @_;
    subtest "the report folder: $name" => sub {
        my $r = $db->lapse(@arguments);
        is $r->{status}, $status, 'status';
        is $r->{stdout}, '', 'stdout is empty';
        like $r->{stderr}, qr/\Alapse: [^\n]*$what[^\n]*\n  hint: [^\n]*$hint[^\n]*\n\z/, 'what, and what to do';
        untouched();
    };
}

my @run = ('run', 'expire-invitations', '--as-of', '2026-03-01');
folder('none', 78, 'no folder', '--out', @run);
folder('no parent', 78, 'above it is missing', 'create it', '--set', "reports.dir=$dir/no/where", @run);
folder('no parent, by --out', 78, 'above it is missing', 'create it', @run, '--out', "$dir/no/where");
mkdir "$dir/open"; chmod 0777, "$dir/open";
folder('world-writable', 78, 'everyone may write', 'chmod', '--set', "reports.dir=$dir/open", @run);
mkdir "$dir/real"; symlink "$dir/real", "$dir/link";
folder('a symbolic link', 78, 'symbolic link', 'leads to', '--set', "reports.dir=$dir/link", @run);
folder('a symbolic link with a slash', 78, 'symbolic link', 'leads to', '--set', "reports.dir=$dir/link/", @run);
symlink "$dir/nothing", "$dir/dangling";
folder('a dangling link', 78, 'symbolic link', 'leads to', @run, '--out', "$dir/dangling");
Lapse::spew("$dir/plain", '');
folder('a file', 78, 'not a folder', 'move it away', '--set', "reports.dir=$dir/plain", @run);
folder('below a file', 78, 'plain', '', @run, '--out', "$dir/plain/out");
folder('a FIFO', 78, 'not a folder', 'move it away', @run, '--out', "$dir/fifo");
folder('the root', 78, 'root folder', 'of its own', @run, '--out', '/');
mkdir "$dir/blocked"; mkdir "$dir/blocked/latest";
folder('a folder named latest', 73, 'latest', 'move it away', @run, '--out', "$dir/blocked");
SKIP: {
    skip '/proc is not there', 1 unless -d '/proc/1';
    folder('where nothing can be made', 73, '/proc', '', @run, '--out', '/proc/lapse');
}
{
    my $r = Lapse::command({ %{ $db->env }, PWD => $dir }, '/bin/sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', $dir, $Lapse::lapse, @run, '--out', 'relative', '--dry-run');
    is $r->{status}, 0, 'a relative --out is one from where the command is given';
    ok -e "$dir/relative/latest/manifest.json", '... and is published there';
    is $db->one('SELECT count(*) FROM lapse.runs'), 0, 'a dry run leaves no trace in the ledger';
}
SKIP: {
    skip 'another file system is not at hand', 2 unless -d '/dev/shm' && (stat '/dev/shm')[0] != (stat $dir)[0];
    my $far = File::Temp::tempdir('lapse-XXXXXX', DIR => '/dev/shm', CLEANUP => 1);
    my $r = $db->lapse_env({ TMPDIR => $dir }, @run, '--out', "$far/out", '--dry-run');
    is $r->{status}, 0, 'a report folder on another file system than TMPDIR';
    ok -e "$far/out/latest/manifest.json", '... is published';
}
{
    my $r = $db->lapse_env({ TMPDIR => '/nonexistent' }, @run, '--out', "$dir/tmpless", '--dry-run');
    is $r->{status}, 0, 'a TMPDIR that is missing does not matter';
}

done_testing;
