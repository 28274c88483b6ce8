# The size of an answer: what is larger than pgrst.server_max_response_size is an error, in every form that rows are
# written in; nothing of it is sent, nothing is committed, and the memory is given back.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $limit = 20_000_000;
my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.server_max_response_size' => $limit,
    'pgrst.db_pool' => 1,
});
$cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.xs(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat('x', n) $$;
CREATE FUNCTION api.quotes(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat('"', n) $$;
CREATE FUNCTION api.many(n int) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat('x', 1000) FROM generate_series(1, n) $$;
CREATE FUNCTION api.rows(n int) RETURNS TABLE (i int, x text) LANGUAGE sql IMMUTABLE AS
  $$ SELECT g, repeat('x', 1000) FROM generate_series(1, n) g $$;
CREATE DOMAIN api."application/x-bytes" AS bytea;
CREATE FUNCTION api.bytes(n int) RETURNS api."application/x-bytes" LANGUAGE sql IMMUTABLE AS $$ SELECT convert_to(repeat('x', n), 'UTF8') $$;
CREATE VIEW api.one AS SELECT repeat('x', 19999987) AS blob;
CREATE TABLE api.parents (id int PRIMARY KEY);
CREATE TABLE api.children (id int PRIMARY KEY, parent_id int REFERENCES api.parents, x text);
INSERT INTO api.parents VALUES (1);
INSERT INTO api.children SELECT g, 1, repeat('x', 1000) FROM generate_series(1, 21000) g;
CREATE TABLE api.written (id int, x text);
CREATE FUNCTION public.st_asgeojson(record) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RETURN json_build_object('x', repeat('x', 1000)); END $$;
GRANT SELECT ON api.one, api.parents, api.children TO anon;
GRANT SELECT, INSERT ON api.written TO anon;
SQL
my $client = PgrstClient->connect($cluster->port);

sub is_too_large {
    my ($what, $method, @request) = @_;
    my $r = $client->request($method, @request);
    is($r->{status}, 500, "$what: 500");
    is_deeply([@{$r->{json}}{qw(code message)}], ['54000', 'the response is too large'], "$what: says why") or diag($r->{body});
    like($r->{json}{details} // '', qr/pgrst\.server_max_response_size/, "$what: names the setting");
}

sub resident_kb {
    my ($pid) = $cluster->executor_pids;
    open my $fh, '<', "/proc/$pid/status" or die "cannot read the status of $pid: $!";
    my ($kb) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$fh>;
    return $kb;
}

scenario 'exactly as much' => sub {
    is(length $client->get('/rpc/xs?n=' . ($limit - 2))->{body}, $limit, 'a value of the size is answered');
    is_too_large('one byte more', GET => '/rpc/xs?n=' . ($limit - 1));
    is(length $client->get('/one')->{body}, $limit, 'a row of the size is answered');
    is_too_large('with the count beside it', GET => '/one?limit=1', Prefer => 'count=exact');
    is($client->get('/items?select=id&id=eq.1')->{body}, '[{"id":1}]', 'the connection goes on');
};

scenario 'every form of rows' => sub {
    is_too_large('an array', GET => '/lines');
    is_too_large('without nulls', GET => '/lines', Accept => 'application/vnd.pgrst.array+json;nulls=stripped');
    is_too_large('one object', GET => '/blobs?size=eq.50000000', Accept => 'application/vnd.pgrst.object+json');
    is_too_large('one object without nulls', GET => '/blobs?size=eq.50000000',
        Accept => 'application/vnd.pgrst.object+json;nulls=stripped');
    is_too_large('CSV', GET => '/lines', Accept => 'text/csv');
    is_too_large('CSV of a large value', GET => '/blobs?size=eq.50000000', Accept => 'text/csv');
    is_too_large('CSV of a value that grows by quotes', GET => '/rpc/quotes?n=11000000', Accept => 'text/csv');
    is_too_large('JSON of a value that grows by quotes', GET => '/rpc/quotes?n=11000000');
    is_too_large('a set of values', GET => '/rpc/many?n=21000');
    is_too_large('rows of a function', GET => '/rpc/rows?n=21000');
    is_too_large('rows of a function, counted', GET => '/rpc/rows?n=21000&limit=20500', Prefer => 'count=exact');
    is_too_large('bytes of a media type', GET => '/rpc/bytes?n=20000001', Accept => 'application/x-bytes');
    is(length $client->get('/rpc/bytes?n=20000000', Accept => 'application/x-bytes')->{body}, $limit, 'as many bytes');
    is_too_large('GeoJSON', GET => '/children', Accept => 'application/geo+json');
    is_too_large('an embed', GET => '/parents?select=id,children(x)');
    is_too_large('an embed in CSV', GET => '/parents?select=id,children(x)', Accept => 'text/csv');
    is($client->get('/rpc/rows?n=21000&limit=1&offset=20999', Prefer => 'count=exact')->{json}[0]{i}, 21000,
        'rows that are only counted take nothing');
};

scenario 'nothing is committed' => sub {
    my $rows = '[' . join(',', map { qq({"id":$_,"x":") . 'x' x 10_000 . '"}' } 1 .. 2010) . ']';
    is_too_large('a write', POST => '/written', body => $rows, 'Content-Type' => 'application/json', Prefer => 'return=representation');
    is($cluster->sql('SELECT count(*) FROM api.written', db => 'api'), 0, 'no row is there');
    is($client->request('POST', '/written', body => $rows, 'Content-Type' => 'application/json')->{status}, 201, 'without its rows it is done');
    is($cluster->sql('SELECT count(*) FROM api.written', db => 'api'), 2010, 'the rows are there');
};

scenario 'the memory is given back' => sub {
    $client->get('/items?select=id&id=eq.1');
    my $before = resident_kb();
    is_too_large("request $_", GET => '/lines', Accept => $_ % 2 ? 'text/csv' : 'application/json') for 1 .. 6;
    cmp_ok(resident_kb() - $before, '<', 10_000, 'the executor has not grown by half an answer');
};

scenario 'no limit' => sub {
    my $position = $cluster->set_for_authenticator(server_max_response_size => 0);
    my $fresh = PgrstClient->new($cluster->port);
    wait_until { $fresh->get('/rpc/xs?n=20000001')->{status} == 200 } 'there is no limit';
    is(length $fresh->get('/rpc/xs?n=30000000')->{body}, 30_000_002, 'more is answered');
};

done_testing;
