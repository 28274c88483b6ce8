# A streaming standby serves reads, follows the primary's schema, and goes on after its promotion.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $primary = PgrstCluster->start_with_api(conf => {wal_level => 'replica', max_wal_senders => 4});
my $standby = $primary->standby;
$standby->start;
$standby->wait_for_http;
my $client = PgrstClient->new($standby->port);

sub wait_for_replay {
    my $lsn = $primary->sql('SELECT pg_current_wal_lsn()');
    wait_until { $standby->sql("SELECT pg_last_wal_replay_lsn() >= '$lsn'") eq 't' } 'replay';
}

scenario 'reads' => sub {
    is($standby->sql('SELECT pg_is_in_recovery()'), 't', 'it is a standby');
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', 'a table');
    is($client->get('/posts', bearer({role => 'author', sub => 'ada'}))->{status}, 200, 'with a token');
    is($client->get('/leave_temporary_table')->{json}{code}, '25006', 'writing is refused');
    my $write = $client->post('/posts', body => {id => 99, author => 'ada'}, bearer({role => 'author', sub => 'ada'}));
    is("$write->{status} $write->{json}{code}", '405 25006', 'with a status of its own');
    is($client->get('/leave_locks')->{status}, 200, 'advisory locks');
    is($client->get('/traces')->{json}[0]{locks}, 0, 'are given back');
};

scenario 'tables of the primary appear once they are replayed' => sub {
    for my $i (1 .. 20) {
        $primary->sql("CREATE TABLE api.fresh_$i AS SELECT $i AS n; GRANT SELECT ON api.fresh_$i TO anon", db => 'api');
        wait_for_replay();
        is($client->get("/fresh_$i")->{body}, qq([{"n":$i}]), "table $i");
    }
    $primary->sql('DROP TABLE api.fresh_1', db => 'api');
    wait_for_replay();
    is($client->get('/fresh_1')->{status}, 404, 'dropped');
};

scenario 'rows of pgrst.config of the primary are honoured' => sub {
    $primary->sql(q(INSERT INTO pgrst.config VALUES ('db_max_rows', '2')), db => 'api');
    wait_for_replay();
    is(scalar @{$client->get('/items')->{json}}, 2, 'a limit of rows');
    $primary->sql('DELETE FROM pgrst.config', db => 'api');
    wait_for_replay();
    is(scalar @{$client->get('/items')->{json}}, 5, 'none again');
};

scenario 'pgrst.reload() on the standby' => sub {
    my $before = $standby->status('schema_checks');
    $standby->sql('SELECT pgrst.reload()', db => 'api');
    ok(eval { wait_until { $standby->status('schema_checks') > $before } 'another look'; 1 }, 'looks again');
};

scenario 'promotion' => sub {
    my $gateway = $standby->gateway_pid;
    my $kept = PgrstClient->connect($standby->port);
    is($kept->get('/items')->{status}, 200, 'a kept connection');
    $primary->stop;
    $standby->promote;
    wait_until { $standby->sql('SELECT pg_is_in_recovery()') eq 'f' } 'the promotion';
    is($kept->get('/items')->{status}, 200, 'the kept connection still serves');
    $standby->sql('CREATE TABLE api.promoted AS SELECT 1 AS n; GRANT SELECT ON api.promoted TO anon', db => 'api');
    is($client->get('/promoted')->{status}, 200, 'a new table is there at once');
    my $checks = $standby->status('schema_checks');
    $standby->sql('NOTIFY pgrst', db => 'api');
    ok(eval { wait_until { $standby->status('schema_checks') > $checks } 'another look'; 1 }, 'NOTIFY is heard');
    is($standby->gateway_pid, $gateway, 'by the same process');
};

ok(!$_->crashed, 'no process crashed') for $primary, $standby;
done_testing;
