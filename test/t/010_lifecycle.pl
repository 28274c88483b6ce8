# Starting, stopping, reloading: the extension, the server, and where settings come from.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(time);

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);

sub served {
    my ($what) = @_;
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', "served: $what");
}

# The number of rows that a request for all items gets: shows pgrst.db_max_rows.
sub row_count {
    my $r = $client->get('/items?select=id');
    return $r->{status} == 200 ? scalar @{$r->{json}} : "status $r->{status}";
}

sub row_count_becomes {
    my ($expected, $what) = @_;
    my $last = '';
    ok(eval { wait_until { ($last = row_count()) eq $expected } 'the new setting'; 1 }, $what)
        or diag("expected $expected rows, got $last");
}

scenario 'DROP EXTENSION stops the service, CREATE EXTENSION starts it, without a restart' => sub {
    my $postmaster = $cluster->postmaster_pid;
    for my $round (1 .. 2) {
        my $kept = PgrstClient->connect($cluster->port);
        is($kept->get('/items?id=eq.1')->{status}, 200, 'a kept connection');
        $cluster->sql('DROP EXTENSION postgrest_ext', db => 'api');
        wait_until { $cluster->refuses_connections } 'the end of the listener';
        ok($kept->is_closed, 'the kept connection was closed');
        $cluster->sql('CREATE EXTENSION postgrest_ext', db => 'api');
        served("created again, round $round");
    }
    $cluster->sql('BEGIN; DROP EXTENSION postgrest_ext; ROLLBACK', db => 'api');
    served('a DROP that was rolled back');
    is($cluster->postmaster_pid, $postmaster, 'no restart');
};

scenario 'a change of postgresql.conf is applied by a reload, without an interruption' => sub {
    my $gateway = $cluster->gateway_pid;
    my $kept = PgrstClient->connect($cluster->port);
    is($kept->get('/items')->{status}, 200, 'a kept connection');
    $cluster->append_conf('pgrst.db_max_rows' => 3);
    $cluster->reload;
    row_count_becomes(3, 'a limit of rows');
    $cluster->append_conf('pgrst.db_max_rows' => -1);
    $cluster->reload;
    row_count_becomes(5, 'none again');
    $cluster->append_conf('pgrst.db_anon_role' => '');
    $cluster->reload;
    row_count_becomes('status 401', 'no role for anonymous requests');
    $cluster->append_conf('pgrst.db_anon_role' => 'anon');
    $cluster->reload;
    row_count_becomes(5, 'anonymous requests again');
    is($kept->get('/items')->{status}, 200, 'the kept connection still serves');
    is($cluster->gateway_pid, $gateway, 'by the same process');
};

scenario 'settings of roles and databases are honoured, and their removal' => sub {
    my $set = sub { $cluster->sql($_[0]) };
    $set->('ALTER ROLE authenticator SET pgrst.db_max_rows = 4');
    row_count_becomes(4, 'ALTER ROLE');
    $set->('ALTER DATABASE api SET pgrst.db_max_rows = 3');
    $set->('ALTER ROLE authenticator IN DATABASE api SET pgrst.db_max_rows = 2');
    row_count_becomes(2, 'ALTER ROLE IN DATABASE wins over ALTER ROLE and ALTER DATABASE');
    $set->('ALTER ROLE authenticator IN DATABASE api RESET pgrst.db_max_rows');
    row_count_becomes(4, 'then ALTER ROLE, as in PostgreSQL');
    $set->('ALTER ROLE authenticator RESET pgrst.db_max_rows');
    row_count_becomes(3, 'then ALTER DATABASE');
    $set->('ALTER DATABASE api RESET pgrst.db_max_rows');
    row_count_becomes(5, 'then none');
    $set->('ALTER ROLE anon SET pgrst.db_max_rows = 1');
    row_count_becomes(5, 'settings of other roles are none of ours');
};

scenario 'rows of pgrst.config win, and their removal is honoured' => sub {
    my $set = sub { $cluster->sql($_[0], db => 'api') };
    $set->('ALTER ROLE authenticator SET pgrst.db_max_rows = 4');
    row_count_becomes(4, 'ALTER ROLE');
    $set->(q(INSERT INTO pgrst.config VALUES ('db_max_rows', '2')));
    is(row_count(), 2, 'INSERT, seen by the next request');
    $set->(q(UPDATE pgrst.config SET value = '1'));
    is(row_count(), 1, 'UPDATE');
    $set->(q(BEGIN; DELETE FROM pgrst.config; ROLLBACK));
    is(row_count(), 1, 'a DELETE rolled back');
    $set->('DELETE FROM pgrst.config');
    is(row_count(), 4, 'DELETE');
    $set->(q(INSERT INTO pgrst.config VALUES ('db_max_rows', '2')));
    is(row_count(), 2, 'INSERT again');
    $set->('TRUNCATE pgrst.config');
    is(row_count(), 4, 'TRUNCATE');
    $set->('ALTER ROLE authenticator RESET pgrst.db_max_rows');
    is(row_count(), 5, 'ALTER ROLE ... RESET, seen by the next request');
};

scenario 'bad values are refused, the running configuration stays' => sub {
    my $fails = sub {
        my ($sql, $pattern) = @_;
        my ($status, undef, $messages) = $cluster->psql($sql, db => 'api');
        isnt($status, 0, "refused: $sql");
        like($messages, $pattern, 'and says why');
    };
    $fails->(q(INSERT INTO pgrst.config VALUES ('db_max_rows', 'many')), qr/db_max_rows.*integer/);
    $fails->(q(INSERT INTO pgrst.config VALUES ('db_schemas', 'pg_catalog')), qr/does not allow schema/);
    $fails->(q(INSERT INTO pgrst.config VALUES ('no_such_setting', '1')), qr/no_such_setting/);
    $fails->(q(INSERT INTO pgrst.config VALUES ('db_pool', '3')), qr/db_pool/);
    $fails->(q(ALTER ROLE authenticator SET pgrst.db_max_rows = 'many'), qr/db_max_rows/);
    $fails->(q(ALTER ROLE authenticator SET pgrst.db_tx_end = 'sometimes'), qr/db_tx_end/);
    $fails->(q(ALTER DATABASE api SET pgrst.db_schemas = ''), qr/db_schemas/);
    is(row_count(), 5, 'served as before');

    my $from = $cluster->log_position;
    $cluster->append_conf('pgrst.db_max_rows' => 'many', 'pgrst.db_schemas' => 'api');
    $cluster->reload;
    $cluster->wait_for_log(qr/invalid value for parameter "pgrst\.db_max_rows"/, $from);
    wait_until { $client->get('/items', 'Accept-Profile' => 'api2')->{status} == 406 } 'the good value';
    is(row_count(), 5, 'a bad value in postgresql.conf changes nothing, the others apply');
    $cluster->append_conf('pgrst.db_max_rows' => -1, 'pgrst.db_schemas' => 'api, api2');
    $cluster->reload;
};

scenario 'a value that only fits together with nothing keeps the old configuration' => sub {
    $cluster->sql(q(INSERT INTO pgrst.config VALUES ('jwt_secret', 'short')), db => 'api');
    is($client->get('/items?id=eq.1')->{status}, 200, 'served');
    like($cluster->status('last_error'), qr/jwt_secret/, 'pgrst.status says what is wrong');
    is($client->get('/me', bearer({role => 'author'}))->{json}[0]{current_user}, 'author', 'the old secret is valid');
    unlike($cluster->log, qr/'short'|"short"/, 'the secret is not logged');
    $cluster->sql('DELETE FROM pgrst.config', db => 'api');
    is($client->get('/items?id=eq.1')->{status}, 200, 'served');
    is($cluster->status(q(coalesce(last_error, ''))), '', 'nothing wrong any more');
};

scenario 'the listener moves to another port' => sub {
    my $other = PgrstCluster::free_port();
    $cluster->sql(qq(ALTER DATABASE api SET pgrst.server_port = $other));
    $cluster->wait_for_http(port => $other);
    is(PgrstClient->new($other)->get('/items?id=eq.1')->{status}, 200, 'served there');
    ok($cluster->refuses_connections, 'not on the old port');
    is($cluster->status('port'), $other, 'pgrst.status knows');
    $cluster->sql('ALTER DATABASE api SET pgrst.server_port = 0');
    wait_until { my $p = $cluster->status(q(coalesce(port, 0))); $p != $other && $p != 0 } 'a port of the kernel\'s choice';
    is(PgrstClient->new($cluster->status('port'))->get('/items?id=eq.1')->{status}, 200, 'served there');
    $cluster->sql('ALTER DATABASE api RESET pgrst.server_port');
    served('on the first port again');
};

scenario 'reloads by hand' => sub {
    my $checks = sub { $cluster->status('schema_checks') };
    for my $sql ('SELECT pgrst.reload()', 'NOTIFY pgrst', "NOTIFY pgrst, 'reload schema'",
        "NOTIFY pgrst, 'reload config'")
    {
        my $before = $checks->();
        $cluster->sql($sql, db => 'api');
        ok(eval { wait_until { $checks->() > $before } 'another look'; 1 }, $sql);
        is($client->get('/items?id=eq.1')->{status}, 200, 'served');
    }
};

# -- the server
# -------------------------------------------------------------------------------------------------

sub stops_quickly {
    my ($mode, $what) = @_;
    my $begun = time();
    $cluster->stop($mode);
    cmp_ok(time() - $begun, '<', 15, "pg_ctl stop -m $mode, $what");
}

scenario 'fast shutdown' => sub {
    stops_quickly('fast', 'idle');
    ok($cluster->refuses_connections, 'nobody listens');
    $cluster->start;
    served('after the start');

    my @kept = map { PgrstClient->connect($cluster->port) } 1 .. 20;
    $_->get('/items?id=eq.1') for @kept;
    stops_quickly('fast', 'with idle keep-alive connections');
    ok($_->is_closed, 'closed') for @kept;
    $cluster->start;
    served('after the start');

    my $slow = PgrstClient->connect($cluster->port);
    $slow->send('GET', '/sleep');
    wait_until { $cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep')) eq '1' }
        'the statement';
    stops_quickly('fast', 'with a slow request');
    like($slow->response->{status}, qr/^(?:503|599)$/, 'which is lost');
    $cluster->start;
    served('after the start');

    my $reader = PgrstClient->connect($cluster->port, receive_buffer => 65536);
    $reader->send('GET', '/blobs?size=eq.50000000&select=blob');
    $reader->read_some(1000);
    stops_quickly('fast', 'with a client that does not read');
    $cluster->start;
    served('after the start');
};

scenario 'immediate shutdown and restart' => sub {
    my $slow = PgrstClient->connect($cluster->port);
    $slow->send('GET', '/sleep');
    stops_quickly('immediate', 'with a slow request');
    $cluster->start;
    served('after recovery');
};

scenario 'a backend that crashes: all start again by themselves' => sub {
    my ($before, $from) = ($cluster->gateway_pid, $cluster->log_position);
    my $session = $cluster->session('postgres');
    kill 'KILL', $session->sql('SELECT pg_backend_pid()');
    wait_until { eval { my $pid = $cluster->gateway_pid; $pid && $pid != $before } } 'a new gateway';
    served('after the crash of another backend');
    my ($executor) = $cluster->executor_pids;
    kill 'KILL', $executor;
    wait_until { eval { my ($pid) = $cluster->executor_pids; $pid && $pid != $executor } } 'a new executor';
    served('after the crash of an executor');
};

done_testing;
