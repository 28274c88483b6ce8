# A disk without room: for tables, and for the write-ahead log. (For the access log: 160_operations.)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->new(conf => {min_wal_size => '32MB', max_wal_size => '32MB', wal_keep_size => 0});
$cluster->start_on_small_disk;
$cluster->load_api('api');
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.log (id int PRIMARY KEY, note text);
CREATE FUNCTION api.sorted(n int) RETURNS bigint STABLE LANGUAGE sql SET work_mem = '64kB'
  AS $$ SELECT count(*) FROM (SELECT md5(i::text) FROM generate_series(1, n) i ORDER BY 1 OFFSET 1) s $$;
CREATE TABLE api.counter AS SELECT 0 AS n;
-- A row that fits into its page again, and a megabyte of the write-ahead log.
CREATE FUNCTION api.count() RETURNS int LANGUAGE sql AS $$
  SELECT pg_logical_emit_message(true, 'test', repeat('x', 1000000)); UPDATE api.counter SET n = n + 1 RETURNING n $$;
GRANT ALL ON api.log, api.counter TO anon;
SQL
$cluster->wait_for_http;
my $client = PgrstClient->new($cluster->port);
my $note = 'x' x 500;

sub rows {
    my ($first, $count) = @_;
    return [map { {id => $_, note => $note} } $first .. $first + $count - 1];
}

scenario 'no room for tables' => sub {
    is($client->post('/log', body => rows(1, 10))->{status}, 201, 'while there is room');
    $cluster->fill_disk;
    for my $i (1 .. 3) {
        my $r = $client->post('/log', body => rows(1000, 5000));
        is("$r->{status} $r->{json}{code}", '503 53100', "insert $i is refused for the moment") or diag($r->{body});
        is(scalar @{$client->get('/log?select=id')->{json}}, 10, 'with nothing left of it; reads are answered');
    }
    my $r = $client->get('/rpc/sorted?n=100000');
    is("$r->{status} $r->{json}{code}", '503 53100', 'nor for temporary files') or diag($r->{body});
    is($client->del('/log?id=eq.1')->{status}, 204, 'what needs no room is done');
    $cluster->empty_disk;
    is($client->post('/log', body => rows(1000, 5000))->{status}, 201, 'when there is room again');
    is($client->get('/rpc/sorted?n=100000')->{body}, '99999', 'for files too');
    ok(!$cluster->crashed, 'the server has not crashed');
};

# PostgreSQL then gives up all processes at once, and cannot recover before there is room.
scenario 'no room for the write-ahead log' => sub {
    $cluster->fill_disk;
    my $answered = 0;
    for (1 .. 1000) {
        my $r = $client->post('/rpc/count', body => {});
        last if $r->{status} != 200;
        $answered = $r->{json};
    }
    cmp_ok($answered, '<', 1000, 'the server gives up');
    $cluster->wait_for_log(qr/PANIC:.*No space left on device/);
    wait_until { !$cluster->is_running || $cluster->log =~ /PANIC:.*ready to accept/s } 'its end, or a recovery';
    $cluster->empty_disk;
    $cluster->start if !$cluster->is_running;
    $cluster->wait_for_http;
    my ($row) = @{$client->get('/counter')->{json}};
    cmp_ok($row->{n}, '>=', $answered, 'what was answered is there');
    cmp_ok($row->{n}, '<=', $answered + 1, 'and hardly more') or diag($row->{n});
    is($client->post('/rpc/count', body => {})->{status}, 200, 'and requests are answered');
};

done_testing;
