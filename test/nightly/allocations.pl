# Every allocation of the gateway and of an executor fails once, over a set of requests: that request is
# answered as it should be, or refused with 503, or cut off; no other request is touched, no answer is wrong,
# nothing is half-written, and the server lives on.
#
# PGRST_TEST_STEP: tries only each n-th allocation (default 1).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../t/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(sleep);

my $step = $ENV{PGRST_TEST_STEP} || 1;

my $cluster = PgrstCluster->new(conf => {
    'pgrst.db_pool' => 1,
    'pgrst.db_pool_max_idletime' => 3600,
    'pgrst.db_tx_end' => 'commit-allow-override',
    log_min_messages => 'fatal',
});
$cluster->start_with_failing_malloc;
$cluster->load_api('api');
$cluster->wait_for_http;
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.ledger (id int PRIMARY KEY, note text);
INSERT INTO api.ledger VALUES (1, 'one');
GRANT ALL ON api.ledger TO anon, author;
CREATE FUNCTION api.teapot() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  PERFORM set_config('response.status', '418', true);
  PERFORM set_config('response.headers', '[{"X-Tea": "green"}]', true);
  RETURN 'tea'; END $$;
SQL
my $port = $cluster->port;
wait_until { PgrstClient->new($port)->get('/ledger')->{status} == 200 } 'the table';

my @requests = (
    ['rows', 'GET', '/items?select=id,name&order=id'],
    ['a counted page', 'GET', '/items?select=id&limit=2', Prefer => 'count=exact'],
    ['CSV', 'GET', '/items?select=id,name', Accept => 'text/csv'],
    ['a token', 'GET', '/me?select=current_user', bearer({role => 'author', sub => 'ada'})],
    ['no right', 'GET', '/secrets'],
    ['a value of no sense', 'GET', '/items?id=eq.x'],
    ['an unknown relation', 'GET', '/itmes'],
    ['a function with a status', 'POST', '/rpc/teapot', body => '{}'],
    ['an insert', 'POST', '/ledger', body => '{"id":2,"note":"two"}'],
    ['an insert that is rolled back', 'POST', '/ledger', body => '{"id":3,"note":"three"}', Prefer => 'tx=rollback'],
    ['a guarded delete', 'DELETE', '/ledger', Prefer => 'handling=strict, max-affected=0'],
    ['an upload', 'POST', '/ledger', body => '[' . join(',', map { qq({"id":$_,"note":"row $_"}) } 10 .. 3000) . ']', Prefer => 'tx=rollback'],
    ['options', 'OPTIONS', '/items'],
    ['the description', 'GET', '/'],
);

# What the headers and the body say, without the time of day.
sub answer {
    my ($r) = @_;
    my %headers = %{$r->{headers}};
    delete @headers{qw(date connection)};
    return join "\n", $r->{status}, (map { "$_: $headers{$_}" } sort keys %headers), $r->{body};
}
sub send_it {
    my (undef, $method, $path, %headers) = @{$_[0]};
    $headers{'Content-Type'} = 'application/json' if defined $headers{body};
    return PgrstClient->new($port)->request($method, $path, %headers);
}
sub executor_pid { return $cluster->sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'postgrest executor' LIMIT 1)) }
sub reset_rows { $cluster->sql("DELETE FROM api.ledger WHERE id <> 1", db => 'api') }
sub rows { return $cluster->sql("SELECT string_agg(id || ' ' || note, ', ' ORDER BY id) FROM api.ledger", db => 'api') }

for my $request (@requests) {
    my $name = $request->[0];
    reset_rows();
    my $expected = answer(send_it($request));
    my $rows_after = rows();
    for my $process ('gateway', 'executor') {
        next if $process eq 'executor' && $name =~ /unknown|options/;    # they reach none
        my ($tries, %wrong) = (0);
        for (my $n = 0;; $n += $step) {
            reset_rows();
            # The executor of the last round may have ended.
            my $pid = $process eq 'gateway' ? $cluster->gateway_pid
                : wait_until { send_it($requests[0])->{status} == 200 && executor_pid() } 'an executor';
            $cluster->fail_allocation($pid, $n);
            my $r = send_it($request);
            my $failed = $cluster->allocation_has_failed;
            $cluster->fail_allocation(0, -1);
            last if !$failed;
            $tries++;
            my $rows = rows();
            my $answer = answer($r);
            if ($answer eq $expected) {
                $wrong{"$n: answered, but the rows are: $rows"}++ if $rows ne $rows_after;
            } elsif ($r->{status} == 503 || $r->{status} == 599) {
                # Cut off after the commit, or nothing was done.
                $wrong{"$n: $r->{status}, and the rows are: $rows"}++ if $rows ne '1 one' && $rows ne $rows_after;
            } else {
                $wrong{"$n: $answer"}++;
            }
            my $next = eval { wait_until { my $a = answer(send_it($requests[0])); $a =~ /^200/ && $a } 'the next request', 30 };
            $wrong{"$n: the next request fails"}++ if !$next;
        }
        is_deeply([sort keys %wrong], [], "$name: $tries allocations of the $process");
    }
}

ok(!$cluster->crashed, 'no process crashed');
done_testing;
