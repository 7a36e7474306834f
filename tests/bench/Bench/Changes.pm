# Changes: invitations that expire, with audit, chain and ledger, beside plain statements of the same effect.
package Bench::Changes;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use List::Util qw(max min);
use lib dirname(__FILE__) . '/..';
use Bench::Measure;
use Bench::Server;
use Bench::Setup;

our @EXPORT = qw(bench_expire bench_chain expire);

my $instant = literal($as_of);
my $update = <<"SQL";
UPDATE saas.invitations i
SET status = 'expired', closed_at = coalesce(i.expires_at, i.sent_at + interval '720 hours')
WHERE i.status = 'pending'
  AND coalesce(i.expires_at, i.sent_at + interval '720 hours') <= $instant
SQL
my $cte = <<"SQL";
WITH expired AS (
  $update
  RETURNING i.account_id, i.invitation_id, i.closed_at
)
INSERT INTO lapse.changes (account_id, run_id, batch_no, entity, entity_id, before, after, reason, effective_at)
SELECT account_id, 1, 1, 'invitations', invitation_id::text, '{"status": "pending", "closed_at": null}',
       jsonb_build_object('status', 'expired', 'closed_at', closed_at), 'invitation_expired', closed_at
FROM expired
SQL

# Runs it on data as they were at first, and counts what it did.
sub changing {
    my ($due, $run) = @_;
    return sub {
        restore();
        sql($work, 'CHECKPOINT');
        my @took = $run->();
        my $done = value($work, "SELECT count(*) FROM saas.invitations WHERE status = 'expired'
                                 AND closed_at BETWEEN timestamptz '$as_of' - interval '1 day' AND '$as_of'");
        die "bench: $done invitations expired, not $due\n" if $done != $due;
        return @took;
    };
}

sub expire {
    my ($due, $formats) = @_;
    return timed_lapse($work, 'run', 'expire-invitations', '--as-of', $as_of, '--format', $formats, '--max-changes', $due);
}

# From one batch's commit to the next: at least what the transaction took.
sub longest {
    return value($work, 'SELECT coalesce(max(b.seconds), 0) FROM (
        SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - lag(pg_xact_commit_timestamp(xmin)) OVER (ORDER BY chain_no)) AS seconds
        FROM lapse.batches) b');
}

sub bench_expire {
    my $due = $size{due};
    my $commits = min($size{commits}, $due);
    my @longest;
    contest({name => 'expire, CSV and XLSX', run => changing($due, sub {
                 my @took = expire($due, 'csv,xlsx');
                 push @longest, longest();
                 return @took;
             })},
            {name => 'one CTE with audit rows', ratio_at_most => '1.2', run => changing($due, sub { return timed_psql($work, "$cte;\n") })},
            {name => 'plain UPDATE', run => changing($due, sub { return timed_psql($work, "$update;\n") })},
            {name => 'a commit per row (psycopg2)', missing => missing_module('psycopg2'), ratio_at_most => '1/40',
             note => with_commas($commits) . ' rows were measured; the peer\'s time is theirs, scaled to ' . with_commas($due),
             run => sub {
                 return (changing($commits, sub { return timed("$dir/peer.out", $python, "$top/tests/bench/peers/expire.py", $work, $as_of, $commits) })->())[0]
                     * $due / $commits;
             }});
    result(what => 'expire: longest from commit to commit', ours => \@longest, at_most => 1);
}

# The audit's chain: digesting every change anew is at least what sealing them cost the run.
sub bench_chain {
    my (@anew, @run, $mib);
    my $run = changing($size{due}, sub { return expire($size{due}, 'csv') });
    for (1 .. $size{rounds}) {
        push @run, ($run->())[0];
        my ($took, $peak) = timed("$dir/lapse.out", lapse_on($work, 'verify', '--audit'));
        push @anew, $took;
        $mib = max($mib // 0, $peak // 0);
    }
    result(what => 'verify --audit / the run it verifies', ours => \@anew, peer => \@run, mib => $mib);
}

1;
