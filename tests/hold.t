# Holds: a held account is left alone by change jobs until its hold ends, by itself or by a person.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my $db = Lapse::database();
$db->sql(q{
    INSERT INTO saas.accounts SELECT g, 'Account ' || g, '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT g, g, 'Org', 'active', '2025-01-01' FROM generate_series(1, 3) g;
    INSERT INTO saas.invitations (account_id, email, organization_id, role, status, sent_at) SELECT g, 'i@x.example', g, 'member', 'pending', '2026-01-01' FROM generate_series(1, 3) g});
sub pending { $db->one("SELECT string_agg(account_id::text, ',' ORDER BY account_id) FROM saas.invitations WHERE status = 'pending'") }
sub refused {
    my ($status, $like, @words) = @_;
    my $r = $db->lapse('hold', @words);
    is $r->{status}, $status, "hold @words: $status";
    like $r->{stderr}, $like, '... says why';
    is $r->{stdout}, '', '... and nothing else';
}

refused(64, qr/add, list or release\?/);
refused(64, qr/"keep" is not add, list or release/, 'keep', 1);
refused(64, qr/an account is missing/, 'add');
refused(64, qr/--reason is missing/, 'add', 1);
refused(64, qr/"x" is not an account's id/, 'add', 'x', '--reason', 'y');
refused(64, qr/there is no account 9/, 'add', '1,9', '--reason', 'y');
refused(64, qr/is past already/, 'add', 1, '--reason', 'y', '--until', '2020-01-01');
refused(64, qr/--until/, 'add', 1, '--reason', 'y', '--until', 'tomorrow');
refused(64, qr/does not belong/, 'list', '--reason', 'y');
refused(64, qr/does not belong/, 'release', 1, '--all');
refused(66, qr/account 1 is not held/, 'release', 1);
is $db->one('SELECT count(*) FROM lapse.holds'), 0, 'nothing was held by what was refused';
is $db->lapse('hold', 'list')->{stdout}, "no account is held\n", 'nobody is held';

is $db->lapse('hold', 'add', '1,2', '--reason', 'disputed invoice')->{stdout}, "2 accounts held until released\n", 'two accounts';
my ($first) = map { decode_json($_) } split /\n/, $db->lapse('--json', 'hold', 'list')->{stdout};
is_deeply [@$first{qw(account_id account reason state)}], [1, 'Account 1', 'disputed invoice', 'held'], 'are listed';
is $db->lapse('run', 'expire-invitations', '--out', $db->dir . '/out')->{status}, 0, 'a run';
is pending(), '1,2', 'leaves them alone';
is $db->lapse('hold', 'release', 1)->{stdout}, "1 hold released\n", 'one is released';
refused(66, qr/is not held/, 'release', 1);
is $db->lapse('run', 'expire-invitations', '--out', $db->dir . '/out')->{status}, 0, 'the next run';
is pending(), '2', 'takes it';

# A hold that ends: judged by the run's as-of.
$db->sql("UPDATE lapse.holds SET held_until = '2026-03-01' WHERE account_id = 2");
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-02-28T23:59:59Z', '--allow-backdate', '--out', $db->dir . '/out')->{status}, 0, 'a second before the hold ends';
is pending(), '2', 'it holds';
is $db->lapse('run', 'expire-invitations', '--as-of', '2026-03-01', '--allow-backdate', '--out', $db->dir . '/out')->{status}, 0, 'at its end';
is pending(), undef, 'it does not';
is $db->lapse('hold', 'list')->{stdout}, "no account is held\n", 'none is listed';
like $db->lapse('hold', 'list', '--all')->{stdout}, qr/^ +1  Account 1  released .*^ +2  Account 2  ended /ms, 'but with --all';
done_testing;
