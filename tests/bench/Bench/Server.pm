# The bench's own server (tests/pg), and its data: a template database per size, and a copy to work in.
package Bench::Server;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use File::Basename qw(dirname);
use Time::HiRes qw(time);
use lib dirname(__FILE__) . '/..';
use Bench::Setup;

sub memory_part {
    my ($part) = @_;
    return int($part * memory_kib() / 1024) . 'MB';
}

our @EXPORT = qw($work %server start_server stop_server run run_into sql value lapse_on restore drop_work);

# A dedicated server: what an administrator would set first, a quarter and three quarters of the memory.
# Autovacuum comes at its own time. The last two tell when a statement came and when a transaction ended.
our %server = (shared_buffers => memory_part(0.25), effective_cache_size => memory_part(0.75), work_mem => '16MB',
               maintenance_work_mem => '256MB', random_page_cost => '1.1', max_wal_size => '8GB',
               checkpoint_timeout => '30min', autovacuum => 'off',
               log_line_prefix => '%n_', track_commit_timestamp => 'on');
our $work = 'bench_work';

sub pg {
    my ($verb) = @_;
    local $ENV{LAPSE_TEST_FSYNC} = $fsync;
    local $ENV{LAPSE_TEST_PGOPTIONS} = join ' ', map { "-c $_=$server{$_}" } sort keys %server;
    system("$top/tests/pg", $verb, $dir) == 0 or die "bench: tests/pg $verb failed\n";
}

sub start_server {
    pg('start');
    for (split ' ', `$top/tests/pg env $dir`) {
        my ($name, $value) = split /=/, $_, 2;
        $ENV{$name} = $value;
    }
}

sub stop_server { pg('stop') }

sub run {
    my (@command) = @_;
    system(@command) == 0 or die "bench: @command failed\n";
}

# The same with what it prints in a file.
sub run_into {
    my ($output, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', $output or die "$output: $!\n";
        exec { $command[0] } @command or die "$command[0]: $!\n";
    }
    waitpid $pid, 0;
    $? == 0 or die "bench: @command ended with status ", $? >> 8, "\n";
}

sub sql {
    my ($database, @texts) = @_;
    run('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $database, map { ('-c', $_) } @texts);
}

sub value {
    my ($database, $text) = @_;
    open my $out, '-|', 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', $text or die "psql: $!\n";
    my $line = <$out>;
    close $out or die "bench: psql failed\n";
    chomp $line if defined $line;
    return $line;
}

sub lapse_on {
    my ($database, @arguments) = @_;
    # No name server is asked: a port where nobody listens says at once that it cannot tell.
    return ($lapse, '-q', '--set', "database.conninfo=dbname=$database", '--set', 'dns.servers=127.0.0.1:9', @arguments);
}

# The name of the template of that size, made if it is not there. Data of other tables are of no use any more.
sub template {
    my (%of) = @_;
    my $schema = join '', map { slurp($_) } sort glob "$top/sql/migrations/*.sql";
    my $sizes = join '_', 'bench', @of{qw(users invitations due)};
    my $name = $sizes . '_' . substr(md5_hex($schema, slurp("$top/tests/bench/data.sql"), $as_of), 0, 8);
    my $begun = time;
    return $name if value('postgres', "SELECT count(*) FROM pg_database WHERE datname = '$name'");
    for (split ' ', value('postgres', "SELECT coalesce(string_agg(datname, ' '), '') FROM pg_database WHERE datname LIKE '${sizes}_%'")) {
        sql('postgres', "DROP DATABASE $_");
    }
    sql('postgres', 'SET client_min_messages = error', 'DROP DATABASE IF EXISTS bench_new');
    sql('postgres', 'CREATE DATABASE bench_new');
    run_into("$dir/lapse.out", lapse_on('bench_new', 'migrate'));
    run('psql', '-Xq', '-d', 'bench_new', (map { ('-v', "$_=$of{$_}") } qw(users invitations due)),
        '-v', "as_of=$as_of", '-f', "$top/tests/bench/data.sql");
    sql('bench_new', 'VACUUM ANALYZE');
    sql('postgres', "ALTER DATABASE bench_new RENAME TO $name");
    printf STDERR "data of %s users made in %.0f s\n", with_commas($of{users}), time - $begun;
    return $name;
}

# The working database as it was at first, of the size that is given or else of the bench's own.
sub restore {
    my (%of) = @_ ? @_ : %size;
    my $template = template(%of);
    drop_work();
    sql('postgres', "CREATE DATABASE $work TEMPLATE $template STRATEGY file_copy");
}

sub drop_work {
    sql('postgres', 'SET client_min_messages = error', "DROP DATABASE IF EXISTS $work");
}

1;
