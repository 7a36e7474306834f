# The audit cannot be edited unnoticed: rows changed, deleted, swapped, added or cut, as the owner could
# do it past the runner, are each named by `verify --audit`; `verify` compares a set with manifest and
# ledger.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my $db = Lapse::database();
my $out = $db->dir . '/out';
$db->sql(q{
    INSERT INTO saas.accounts SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 40) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Org', 'active', '2025-01-01' FROM generate_series(1, 40) g;
    INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, started_at) SELECT g, 'base', 'essentials', 'none', 'active', '2025-01-01' FROM generate_series(1, 40) g;
    INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at)
      SELECT g, 'i' || n || '@x.example', g, 'member', 'pending', timestamptz '2026-01-01' + n * interval '1 day' FROM generate_series(1, 40) g, generate_series(0, 4) n});
sub run_as_of { $db->lapse('--set', 'database.batch_rows=20', 'run', 'expire-invitations', '--as-of', $_[0], '--out', $out) }
is run_as_of("2026-02-0$_")->{status}, 0, "a night, $_" for 1 .. 3;
is $db->one('SELECT count(*) FROM lapse.batches') > 4, 1, 'several batches' or diag $db->one('SELECT count(*) FROM lapse.batches');

sub audit { $db->lapse('--json', 'verify', '--audit') }
my $r = audit();
is $r->{status}, 0, 'as the runner made it, the audit is good' or diag $r->{stdout}, $r->{stderr};
my $good = decode_json($r->{stdout});
is $good->{changes}, $db->one('SELECT count(*) FROM lapse.changes'), 'every change was digested';
is $good->{head}, decode_json(Lapse::slurp("$out/latest/manifest.json"))->{audit_head}, 'its head is the manifest\'s';
like $db->lapse('verify', '--audit')->{stdout}, qr/^the audit is as it was sealed: \d+ changes in \d+ batches\nhead [0-9a-f]{64}\n\z/, 'in words';

# Each attack in a copy of the database, as its owner.
my $copies = 0;
sub attack {
    my ($name, $sql, $run, $finding) = @_;
    my $copy = Lapse::database(empty => 1);
    Lapse::Database::psql_checked('postgres', $_) for 'DROP DATABASE ' . $copy->name, 'CREATE DATABASE ' . $copy->name . ' TEMPLATE ' . $db->name;
    $copy->sql($sql);
    my $r = $copy->lapse('--json', 'verify', '--audit');
    is $r->{status}, 82, "$name: status 82" or diag $r->{stdout}, $r->{stderr};
    my ($first) = map { decode_json($_) } split /\n/, $r->{stdout};
    is_deeply [$first->{run} // 0, $first->{finding} =~ $finding ? 'named' : $first->{finding}], [$run, 'named'], "$name: the run is named" or diag $r->{stdout};
    like $r->{stderr}, $run ? qr/audit of run $run / : qr/chain is broken/, "$name: in the message too";
}
my $some = 'SELECT min(change_id) + 3 FROM lapse.changes WHERE run_id = 2';
my $columns = { after => q{jsonb_set(after, '{status}', '"revoked"')}, before => 'NULL', reason => q{'other'}, entity => q{'licenses'},
    entity_id => q{entity_id || '0'}, effective_at => q{effective_at + interval '1 microsecond'}, account_id => 'account_id + 1' };
attack("$_ changed", "UPDATE lapse.changes SET $_ = $columns->{$_} WHERE change_id = ($some)", 2, qr/not those that were sealed/) for sort keys %$columns;
attack('a row deleted', "DELETE FROM lapse.changes WHERE change_id = ($some)", 2, qr/rows were sealed/);
attack('a row added', "INSERT INTO lapse.changes (account_id, run_id, batch_no, entity, entity_id, after, reason, effective_at)
    VALUES (1, 2, 1, 'invitations', '1', '{}', 'x', '2026-01-01')", 2, qr/rows were sealed/);
attack('a row of no batch', "INSERT INTO lapse.changes (account_id, run_id, batch_no, entity, entity_id, after, reason, effective_at)
    VALUES (1, 2, 99, 'invitations', '1', '{}', 'x', '2026-01-01')", 2, qr/belong to no batch/);
attack('two rows swapped', "UPDATE lapse.changes c SET after = o.after, entity_id = o.entity_id FROM lapse.changes o
    WHERE (c.change_id, o.change_id) IN (SELECT min(change_id), max(change_id) FROM lapse.changes WHERE run_id = 2 UNION ALL SELECT max(change_id), min(change_id) FROM lapse.changes WHERE run_id = 2)", 2, qr/not those/);
attack('a row moved to another run', "UPDATE lapse.changes SET run_id = 3 WHERE change_id = ($some)", 2, qr/rows were sealed/);
attack('all rows of a run deleted', 'DELETE FROM lapse.changes WHERE run_id = 2', 2, qr/rows were sealed/);
attack('a run cut out, rows and batches', 'DELETE FROM lapse.changes WHERE run_id = 2; DELETE FROM lapse.batches WHERE run_id = 2', 3, qr/missing from the chain/);
attack('two batches swapped', 'UPDATE lapse.batches SET chain_no = CASE chain_no WHEN 1 THEN 1002 ELSE 1001 END WHERE chain_no IN (1, 2);
    UPDATE lapse.batches SET chain_no = chain_no - 1000 WHERE chain_no > 1000', 1, qr/does not follow/);
attack('a digest made to fit', "UPDATE lapse.changes SET reason = 'other' WHERE change_id = ($some);
    UPDATE lapse.batches SET digest = repeat('a', 64) WHERE run_id = 2 AND batch_no = 1", 2, qr/not those/);
attack('the end cut', 'DELETE FROM lapse.changes WHERE run_id = 3; DELETE FROM lapse.batches WHERE run_id = 3', 0, qr/last batches are missing/);
attack('the end cut, and the head turned back', 'DELETE FROM lapse.changes WHERE run_id = 3; DELETE FROM lapse.batches WHERE run_id = 3;
    UPDATE lapse.chain_head SET (chain_no, digest) = (SELECT chain_no, digest FROM lapse.batches ORDER BY chain_no DESC LIMIT 1)', 3, qr/last batch is missing/);

# ---- verify DIR ----
sub verify { $db->lapse('verify', @_) }
$r = verify("$out/2026-02-03");
is $r->{status}, 0, 'a set is what was published' or diag $r->{stderr};
like $r->{stdout}, qr/^\Q$out\E\/2026-02-03 is what was published: 2 files as of 2026-02-03T00:00:00Z\n\z/, 'in words';
is $db->lapse('--set', "reports.dir=$out", 'verify')->{status}, 0, 'without a name, the latest set';
is verify("$out/latest")->{status}, 0, 'through the link';
is verify("$out/2026-02-09")->{status}, 66, 'no such folder';
is verify($db->dir)->{status}, 82, 'a folder without a manifest';
is verify()->{status}, 78, 'which folder?';
is verify('a', 'b')->{status}, 64, 'one folder at a time';
is verify('--audit', 'a')->{status}, 64, 'no folder with --audit';

my $csv = "$out/2026-02-02/expire-invitations.csv";
my $bytes = Lapse::slurp($csv);
chmod 0644, $csv;
Lapse::spew($csv, $bytes =~ s/member/owner/r);
$r = verify("$out/2026-02-02");
is $r->{status}, 82, 'a file that was edited';
like $r->{stdout}, qr/^expire-invitations\.csv  was changed: /m, 'is named';
unlink $csv;
like verify("$out/2026-02-02")->{stdout}, qr/^expire-invitations\.csv  is missing$/m, 'one that is missing';
Lapse::spew($csv, $bytes);
Lapse::spew("$out/2026-02-02/notes.txt", 'x');
like verify("$out/2026-02-02")->{stdout}, qr/^notes\.txt  is not in the manifest$/m, 'one too many';
unlink "$out/2026-02-02/notes.txt";
is verify("$out/2026-02-02")->{status}, 0, 'all as before';

# Files and manifest made to agree: the ledger knows better.
my $forged = $bytes =~ s/member/owner/r;
Lapse::spew($csv, $forged);
require Digest::SHA;
my ($was, $is) = map { Digest::SHA::sha256_hex($_) } $bytes, $forged;
for my $file (map { "$out/2026-02-02/$_" } qw(manifest.json SHA256SUMS)) {
    chmod 0644, $file;
    my ($before, $after) = (length $bytes, length $forged);
    Lapse::spew($file, Lapse::slurp($file) =~ s/$was/$is/gr =~ s/("bytes": )$before\b/$1$after/gr);
}
$r = verify("$out/2026-02-02");
is $r->{status}, 82, 'a forged manifest';
like $r->{stdout}, qr/^expire-invitations\.csv  manifest and ledger name another SHA-256$/m, 'does not fool the ledger';

# A copy elsewhere is good by itself.
Lapse::command({}, 'cp', '-r', "$out/2026-02-03", $db->dir . '/copy');
$r = verify($db->dir . '/copy');
is $r->{status}, 0, 'a copy';
like $r->{stderr}, qr/the ledger knows nothing of this folder/, 'says so';
$db->sql('DELETE FROM lapse.changes WHERE run_id = 3; DELETE FROM lapse.batches WHERE run_id = 3; UPDATE lapse.runs SET changes_digest = NULL WHERE run_id = 3;
    UPDATE lapse.chain_head SET (chain_no, digest) = (SELECT chain_no, digest FROM lapse.batches ORDER BY chain_no DESC LIMIT 1)');
is audit()->{status}, 0, 'a chain cut without a trace in the database';
$r = verify("$out/2026-02-03");
is $r->{status}, 82, 'shows in the manifest of its night';
like $r->{stdout}, qr/^manifest\.json  its audit head is not in the chain/m, 'whose head is gone';
done_testing;
