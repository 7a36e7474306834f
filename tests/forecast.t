# forecast: what it says of ten nights is what ten nights then do, and it changes nothing itself.
use strict;
use warnings;
use Test::More;
use JSON::PP qw(decode_json);
use Lapse;

my @nights = map { sprintf '2026-%02d-%02d', @$_ } [3, 31], map { [4, $_] } 1 .. 9;
my $db = Lapse::database();
$db->load(sort glob "$Lapse::top/sql/demo/*.sql");
# One account that the database refuses stops neither the nights nor the forecast of them.
my ($refused) = $db->one("SELECT account_id FROM saas.invitations WHERE status = 'pending' AND sent_at < '2026-02-20' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
$db->sql("CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.account_id = $refused THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END \$\$;
    CREATE TRIGGER refuse BEFORE UPDATE ON saas.invitations FOR EACH ROW EXECUTE FUNCTION public.refuse()");
sub state_of { return { map { $_ => $db->one("SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM $_ t") } qw(saas.subscriptions saas.invitations saas.organizations saas.licenses lapse.changes lapse.quarantine) } }

my $before = state_of();
my $r = $db->lapse('--json', 'forecast', '--as-of', $nights[0], '--until', $nights[-1]);
is $r->{status}, 0, 'a forecast of ten nights' or diag $r->{stderr};
my (%said, %stake);
for my $line (map { decode_json($_) } split /\n/, $r->{stdout}) {
    $said{ substr $line->{as_of}, 0, 10 }{ $line->{job} } = $line->{rows};
    $stake{$_} += $line->{at_stake}{$_} for keys %{ $line->{at_stake} };
}
is_deeply [sort keys %said], \@nights, 'it tells of each';
is_deeply state_of(), $before, 'nothing was changed';
my $text = $db->lapse('forecast', '--as-of', $nights[0], '--until', $nights[-1])->{stdout};
like $text, qr/^in all +expire-invitations +[\d,]+\b/m, 'for people it adds up';
is $db->lapse('forecast', @$_)->{status}, 64, "forecast @$_ ends with 64" for ['--as-of', '2026-03-31', '--until', '2026-03-30'], ['--until', '2999-01-01'], ['--until', 'x'], ['x'];

# ---- as a report ----
my $out = $db->dir . '/forecast';
is $db->lapse('-q', 'forecast', '--as-of', $nights[0], '--until', $nights[-1], '--out', $out)->{status}, 0, 'with --out it is published';
my ($header, @rows) = Lapse::csv("$out/$nights[0]/forecast.csv");
is_deeply $header, ['Night', 'Job', 'Rows', 'Currency', 'At Stake'], 'as a CSV';
my (%csv, %csv_stake);
for (@rows) { $csv{ substr $_->[0], 0, 10 }{ $_->[1] } += $_->[2] // 0; $csv_stake{ $_->[3] } += $_->[4] if defined $_->[3] }
is_deeply \%csv, { map { my $n = $_; ($n => { map { $said{$n}{$_} ? ($_ => $said{$n}{$_}) : () } keys %{ $said{$n} } }) } @nights }, 'with the same rows';
is_deeply { map { $_ => sprintf '%.2f', $csv_stake{$_} } keys %csv_stake }, { map { $_ => sprintf '%.2f', $stake{$_} } keys %stake }, '... and what is at stake';
ok -s "$out/$nights[0]/forecast.xlsx", 'and as a workbook';
is $db->lapse('verify', "$out/$nights[0]")->{status}, 0, 'with a manifest that holds';

# ---- the nights ----
my @jobs = grep { $_ ne 'verify-domains' && $_ ne 'reconcile-billing' } map { $_->{job} } grep { $_->{kind} eq 'change' } map { decode_json($_) } split /\n/, $db->lapse('jobs', '--json')->{stdout};
my %done;
for my $night (@nights) {
    my $run = $db->lapse('--json', 'run', @jobs, '--as-of', $night, '--allow-backdate', '--out', $db->dir . '/out', '--format', 'csv');
    ok $run->{status} == 0 || $run->{status} == 83, "the night of $night" or diag $run->{stderr};
    $done{$night}{ $_->{job} } = $_->{changed} for grep { exists $_->{result} } map { decode_json($_) } split /\n/, $run->{stdout};
}
is_deeply \%said, \%done, 'each job of each night changed as many rows as was said';
cmp_ok scalar(grep { my $n = $_; grep { $done{$n}{$_} } keys %{ $done{$n} } } @nights[1 .. $#nights]), '>', 3, 'the later nights had something to do';
my %lapsed = map { $_->[0] => $_->[1] } $db->rows("SELECT s.currency, sum(s.seats * s.unit_amount) FROM lapse.changes c
    JOIN saas.subscriptions s ON s.account_id = c.account_id AND s.subscription_id = c.entity_id::bigint
    WHERE c.entity = 'subscriptions' AND c.reason IN ('expired_without_renewal', 'manual_downgrade') AND c.before IS NOT NULL AND s.unit_amount IS NOT NULL GROUP BY 1");
my %minor = (JPY => 1);
is_deeply { map { $_ => sprintf '%.0f', $stake{$_} * ($minor{$_} // 100) } keys %stake }, \%lapsed, 'what is at stake is what lapsed';
cmp_ok scalar keys %stake, '>', 0, 'something was';
done_testing;
