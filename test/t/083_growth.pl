# Nothing grows with the number of requests, good or bad: the memory contexts of an executor and the
# memory of the gateway are what they were.
#
# PGRST_TEST_ROUNDS: how often each request is sent while that is watched (default 400).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $rounds = $ENV{PGRST_TEST_ROUNDS} || 400;
my $warm_up = 60;
my $leak = 32;    # bytes a request that are too many; a forgotten ErrorData had 178
# PostgreSQL itself remembers in its caches what it did not find of each relation that there ever was.
my %known = ('a temporary table' => 256);

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.db_pool' => 1,
    'pgrst.db_pool_max_idletime' => 3600,
    'pgrst.db_pool_max_lifetime' => 3600,
    'pgrst.db_tx_end' => 'commit-allow-override',
    'pgrst.db_plan_enabled' => 'on',
    log_min_messages => 'fatal',
    'pgrst.log_level' => 'crit',
});
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.ledger (id int PRIMARY KEY, note text, CONSTRAINT ledger_note UNIQUE (note) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO api.ledger VALUES (1, 'one'), (2, 'two');
CREATE TABLE api.entries (id int PRIMARY KEY, ledger_id int REFERENCES api.ledger);
CREATE FUNCTION api.add(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a + b $$;
CREATE FUNCTION api.refuse(code text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION USING ERRCODE = code, MESSAGE = repeat('m', 500), DETAIL = 'd', HINT = 'h'; END $$;
CREATE FUNCTION api.teapot() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  PERFORM set_config('response.status', '418', true);
  PERFORM set_config('response.headers', '[{"X-Tea": "green"}]', true);
  RETURN 'tea'; END $$;
CREATE FUNCTION api.scratch() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN
  CREATE TEMP TABLE scratch ON COMMIT DROP AS SELECT 1 AS n; SELECT count(*) INTO n FROM scratch; RETURN n; END $$;
CREATE FUNCTION api.settings() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  SET work_mem = '5MB'; PERFORM set_config('my.own', repeat('x', 100), false); SET ROLE author; END $$;
CREATE FUNCTION api.used_memory() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
  -- PostgreSQL fills its buffers for temporary tables up to temp_buffers before it uses one again.
  SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts WHERE name <> 'LocalBufferContext' $$;
GRANT ALL ON api.ledger, api.entries TO anon, author;
SQL
my $port = $cluster->port;
wait_until { PgrstClient->new($port)->get('/ledger')->{status} == 200 } 'the table';
my $client = PgrstClient->connect($port);

my @kinds = (
    ['rows', 200, 'GET', '/items?select=id,name&id=lt.4&order=id.desc'],
    ['embedded rows', 200, 'GET', '/entries?select=id,ledger(note)'],
    ['CSV', 200, 'GET', '/items', Accept => 'text/csv'],
    ['a counted page', 206, 'GET', '/items?limit=2', Prefer => 'count=exact'],
    ['a plan', 200, 'GET', '/items', Accept => 'application/vnd.pgrst.plan+json'],
    ['HEAD', 200, 'HEAD', '/items'],
    ['OPTIONS', 200, 'OPTIONS', '/items'],
    ['a token', 200, 'GET', '/me', bearer({role => 'author', sub => 'ada'})],
    ['a bad token', 401, 'GET', '/me', Authorization => 'Bearer a.b.c'],
    ['a role that does not exist', 401, 'GET', '/me', bearer({role => 'ghost'})],
    ['no right', 401, 'GET', '/secrets'],
    ['a value of no sense', 400, 'GET', '/items?id=eq.x'],
    ['an unknown column', 400, 'GET', '/items?nothing=eq.1'],
    ['an unknown relation', 404, 'GET', '/itmes'],
    ['an unknown function', 404, 'GET', '/rpc/adds?a=1'],
    ['a query of no sense', 400, 'GET', '/items?select=id,('],
    ['too many rows for one', 406, 'GET', '/items', Accept => 'application/vnd.pgrst.object+json'],
    ['an insert that is rolled back', 201, 'POST', '/ledger', body => '{"id":3,"note":"three"}', Prefer => 'tx=rollback'],
    ['an upsert', 200, 'POST', '/ledger', body => '{"id":1,"note":"one"}', Prefer => 'resolution=merge-duplicates'],
    ['a duplicate', 409, 'POST', '/ledger', body => '{"id":1,"note":"another"}'],
    ['a duplicate at the commit', 409, 'POST', '/ledger', body => '{"id":4,"note":"one"}'],
    ['a broken body', 400, 'POST', '/ledger', body => '{"id":'],
    ['an update', 204, 'PATCH', '/ledger?id=eq.2', body => '{"note":"zwei"}'],
    ['an update of too many rows', 400, 'PATCH', '/ledger?id=gt.0', body => '{"note":null}', Prefer => 'handling=strict, max-affected=1'],
    ['a delete of nothing', 204, 'DELETE', '/ledger?id=eq.99'],
    ['a function', 200, 'GET', '/rpc/add?a=1&b=2'],
    ['a function by POST', 200, 'POST', '/rpc/add', body => '{"a":1,"b":2}'],
    ['a function that fails', 400, 'POST', '/rpc/refuse', body => '{"code":"P0001"}'],
    ['a function with a status', 418, 'POST', '/rpc/teapot', body => '{}'],
    ['a function with settings', 204, 'POST', '/rpc/settings', body => '{}'],
    ['a temporary table', 200, 'POST', '/rpc/scratch', body => '{}'],
);

sub used_by_executor { return PgrstClient->new($port)->post('/rpc/used_memory', body => {})->{body} }

# Bytes that are the gateway's own.
sub used_by_gateway {
    open(my $fh, '<', '/proc/' . $cluster->gateway_pid . '/statm') or die "statm: $!";
    my (undef, $resident, $shared) = split ' ', <$fh>;
    return ($resident - $shared) * 4096;
}

sub send_often {
    my ($times, $status, $method, $path, %headers) = @_;
    $headers{'Content-Type'} = 'application/json' if defined $headers{body};
    my %others;
    for (1 .. $times) {
        my $r = $client->request($method, $path, %headers);
        $others{$r->{status}}++ if $r->{status} != $status;
        # HEAD may end the connection, depending on libmicrohttpd.
        $client = PgrstClient->connect($port)
            if $r->{status} == 599 || $method eq 'HEAD' || ($r->{headers}{connection} // '') eq 'close';
    }
    return join ' ', map { "$_: $others{$_}" } sort keys %others;
}

my $warm_gateway;
for my $pass ('warm-up', 'watch') {
    for my $kind (@kinds) {
        my ($name, @request) = @$kind;
        my $others = send_often($warm_up, @request);
        is($others, '', "$name: the status") if $pass eq 'warm-up';
        next if $pass eq 'warm-up';
        my $before = used_by_executor();
        send_often($rounds, @request);
        my $grown = used_by_executor() - $before;
        cmp_ok($grown, '<', ($known{$name} // $leak) * $rounds, "$name: the executor holds no more than before");
    }
    $warm_gateway //= used_by_gateway();
}
cmp_ok(used_by_gateway() - $warm_gateway, '<', 2_000_000 + $leak * $rounds * @kinds, 'nor does the gateway');

ok(!$cluster->crashed, 'no process crashed');
done_testing;
