# What the program tests share: a database each, lapse to run, and what came of it.
#
#     use Lapse;
#     my $db = Lapse::database();                    # empty, migrated, dropped at the end
#     $db->sql("INSERT INTO saas.accounts ...");     # dies when the server refuses
#     my @rows = $db->rows("SELECT a, b FROM ...");  # array of array references, NULL is undef
#     my $r = $db->lapse('run', 'end-trials', '--as-of', '2026-03-31', '--out', $db->dir);
#     is $r->{status}, 0; like $r->{stdout}, qr/.../; is $r->{stderr}, '';
#
# A private PostgreSQL must be running: tests/run starts one (PGHOST, PGUSER are set), and a name
# server with tests/demo.zone, which is the one that a database's lapse asks. One of a test's own:
#
#     my $dns = Lapse::dns($zone);                    # see tests/dns; stopped at the end
#     $db->{dns} = $dns->address;                     # from now on asked by this database's lapse
#     $dns->asked                                     # lines "udp NAME N", as tests/dns logs them
package Lapse;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IPC::Open3 qw(open3);
use Symbol qw(gensym);

our $top = abs_path(dirname(__FILE__) . '/../..');
our $build = $ENV{LAPSE_TEST_BUILD} || "$top/build";
our $lapse = "$build/lapse";
my $counter = 0;

# The guards of change jobs, out of the way: what tests have due is often all there is. A test of the
# guard itself takes them out of the environment: lapse_env(Lapse::guarded(), ...).
my $guards;
sub guards {
    return $guards if $guards;
    $guards = {};
    for (split /\n/, -x $lapse ? qx('$lapse' jobs --json) : '') {
        my ($job, $kind) = /"job":"([^"]+)","kind":"([^"]+)"/ or next;
        next if $kind ne 'change';
        my $name = 'LAPSE_JOB_' . uc($job =~ s/-/_/gr);
        @$guards{"${name}_MAX_CHANGES", "${name}_MAX_PERCENT", "${name}_SURGE"} = (1000000000, 100, 1000000);
    }
    return $guards;
}
sub guarded { return { map { $_ => undef } keys %{ guards() } } }

# Runs a command with an environment of ours; returns status (128+n for a signal), stdout, stderr.
sub command {
    my ($env, @command) = @_;
    my ($out, $err) = (File::Temp->new, File::Temp->new);
    guards();
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        delete @ENV{grep { /^LAPSE_(?!TEST_)/ || /^INVOCATION_ID$/ } keys %ENV};
        @ENV{keys %{ guards() }} = values %{ guards() };
        for my $name (keys %$env) {
            if (defined $env->{$name}) { $ENV{$name} = $env->{$name} } else { delete $ENV{$name} }
        }
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>&', $out or die;
        open STDERR, '>&', $err or die;
        exec { $command[0] } @command or die "exec $command[0]: $!";
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return { status => $status, stdout => slurp("$out"), stderr => slurp("$err") };
}

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    my $text = <$file>;
    return defined $text ? $text : '';
}

sub spew {
    my ($path, $text) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $text;
    close $file or die "$path: $!";
}

# A CSV as rows of fields; NULL (nothing between commas) is undef, "" is the empty string.
sub csv {
    my ($path) = @_;
    my $text = slurp($path);
    my (@rows, @row);
    die "$path: does not end with CRLF" if length $text && $text !~ /\r\n\z/;
    while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gc) {
        my ($quoted, $bare, $end) = ($1, $2, $3);
        if (defined $quoted) { $quoted =~ s/""/"/g }
        push @row, defined $quoted ? $quoted : length $bare ? $bare : undef;
        if ($end ne ',') { push @rows, [@row]; @row = () }
    }
    die "$path: not a CSV at byte " . (pos $text // 0) if (pos $text // 0) < length $text;
    return @rows;
}

sub database {
    my (%option) = @_;
    my $name = sprintf 'lapse_%d_%d', $$, ++$counter;
    my $self = bless { name => $name, tmp => tempdir('lapse-test-XXXXXX', TMPDIR => 1, CLEANUP => 1) },
        'Lapse::Database';
    my $template = 'lapse_template';
    Lapse::Database::psql_checked('postgres',
        $option{empty} ? "CREATE DATABASE $name" : "CREATE DATABASE $name TEMPLATE $template");
    return $self;
}

sub dns {
    my ($zone) = @_;
    my $self = bless { dir => tempdir('lapse-dns-XXXXXX', TMPDIR => 1, CLEANUP => 1) }, 'Lapse::Dns';
    spew("$self->{dir}/zone", $zone);
    my $r = command({ LAPSE_TEST_PARENT => $$ }, $^X, "$top/tests/dns", 'start', $self->{dir}, "$self->{dir}/zone");
    die $r->{stderr} if $r->{status};
    return $self;
}

package Lapse::Dns;

sub address { my ($self) = @_; return Lapse::slurp("$self->{dir}/dns.address") =~ s/\n//r }
sub asked { my ($self) = @_; return split /\n/, Lapse::slurp("$self->{dir}/dns.log") }
sub stop { my ($self) = @_; return Lapse::command({}, $^X, "$Lapse::top/tests/dns", 'stop', $self->{dir}) }
sub DESTROY { my ($self) = @_; local ($?, $@); eval { $self->stop } }

package Lapse::Database;

sub psql_checked {
    my ($database, $sql) = @_;
    my $r = Lapse::command({ PGDATABASE => $database, PGOPTIONS => '-c timezone=UTC' },
        '/usr/bin/psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', $sql);
    die "psql: $r->{stderr}\n$sql\n" if $r->{status};
    return $r->{stdout};
}

sub name { $_[0]{name} }
sub env {
    my ($self) = @_;
    return { PGDATABASE => $self->{name}, LAPSE_DNS_SERVERS => $self->{dns} // $ENV{LAPSE_TEST_DNS} // '127.0.0.1:9', LAPSE_DNS_TIMEOUT => '1 s' };
}

# A folder of the test's own; --out may point below it.
sub dir { $_[0]{tmp} }

sub sql {
    my ($self, $sql) = @_;
    return psql_checked($self->{name}, $sql);
}

# Loads files, each in one transaction.
sub load {
    my ($self, @files) = @_;
    for my $file (@files) {
        my $r = Lapse::command($self->env, '/usr/bin/psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-1', '-f', $file);
        die "$file: $r->{stderr}" if $r->{status};
    }
}

sub rows {
    my ($self, $query) = @_;
    my $r = Lapse::command({ PGDATABASE => $self->{name}, PGOPTIONS => '-c timezone=UTC' },
        '/usr/bin/psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-P', 'null=\\N', '-F', "\x1f", '-R', "\x1e", '-c', $query);
    die "psql: $r->{stderr}\n$query\n" if $r->{status};
    $r->{stdout} =~ s/\n\z//;
    return map { [map { $_ eq '\\N' ? undef : $_ } split /\x1f/, $_, -1] } split /\x1e/, $r->{stdout}, -1;
}

# The one value of a query.
sub one { my ($self, $query) = @_; my @rows = $self->rows($query); return @rows ? $rows[0][0] : undef }

sub lapse {
    my ($self, @arguments) = @_;
    return $self->lapse_env({}, @arguments);
}

sub lapse_env {
    my ($self, $env, @arguments) = @_;
    return Lapse::command({ %{ $self->env }, %$env }, $Lapse::lapse, @arguments);
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@);
    eval { psql_checked('postgres', "DROP DATABASE IF EXISTS $self->{name} WITH (FORCE)") };
}

1;
