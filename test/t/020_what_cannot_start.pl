# What cannot start says why, in the log and in pgrst.status, and recovers by itself.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use PgrstClient;
use PgrstCluster;
use Test::More;

# The extension is in database postgres too, to look at pgrst.status.
my $cluster = PgrstCluster->new;
$cluster->start;
$cluster->sql('CREATE EXTENSION postgrest_ext');
my $client = PgrstClient->new($cluster->port);

sub says {
    my ($pattern, $what) = @_;
    my $last = '';
    ok(eval { wait_until { ($last = $cluster->status('last_error', db => 'postgres')) =~ $pattern } 'status'; 1 },
        "pgrst.status: $what") or diag($last);
    like($cluster->log, $pattern, "the log: $what");
    isnt($cluster->status('state', db => 'postgres'), 'serving', 'not serving');
}

sub recovers {
    my ($what) = @_;
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.1')->{status}, 200, "served: $what");
    is($cluster->status(q(coalesce(last_error, '')), db => 'postgres'), '', 'pgrst.status: nothing wrong');
}

scenario 'the database does not exist, then it does' => sub {
    says(qr/database does not exist/, 'no database');
    $cluster->load_api('api');
    recovers('the database exists');
};

scenario 'no extension: dormant, not an error' => sub {
    $cluster->sql('DROP EXTENSION postgrest_ext', db => 'api');
    wait_until { $cluster->status('state', db => 'postgres') eq 'dormant' } 'sleep';
    ok($cluster->refuses_connections, 'nobody listens');
    $cluster->sql('CREATE EXTENSION postgrest_ext', db => 'api');
    recovers('the extension exists');
};

scenario 'no authenticator role, then there is one' => sub {
    $cluster->sql('ALTER ROLE authenticator RENAME TO somebody');
    $cluster->restart;
    says(qr/authenticator role .* does not exist/, 'no role');
    $cluster->sql('ALTER ROLE somebody RENAME TO authenticator');
    recovers('the role exists');
};

scenario 'the authenticator is a superuser: refused' => sub {
    $cluster->sql('ALTER ROLE authenticator SUPERUSER');
    $cluster->restart;
    says(qr/authenticator role .* is a superuser/, 'superuser');
    ok($cluster->refuses_connections, 'nobody listens');
    $cluster->sql('ALTER ROLE authenticator NOSUPERUSER');
    recovers('no superuser any more');
};

scenario 'the authenticator may not log in' => sub {
    $cluster->sql('ALTER ROLE authenticator NOLOGIN');
    $cluster->restart;
    says(qr/may not log in/, 'NOLOGIN');
    $cluster->sql('ALTER ROLE authenticator LOGIN');
    recovers('LOGIN');
};

scenario 'the authenticator may not connect to the database' => sub {
    $cluster->sql('REVOKE CONNECT ON DATABASE api FROM PUBLIC');
    $cluster->restart;
    $cluster->wait_for_log(qr/permission denied for database "api"/);
    ok($cluster->refuses_connections, 'nobody listens');
    ok(eval { wait_until { $cluster->status(q(coalesce(last_error, '')), db => 'postgres') =~ /permission|CONNECT/ } 'status', 20; 1 },
        'pgrst.status says so');
    $cluster->sql('GRANT CONNECT ON DATABASE api TO PUBLIC');
    recovers('CONNECT');
};

scenario 'a role that becomes a superuser while it serves' => sub {
    $cluster->sql('ALTER ROLE authenticator SUPERUSER');
    my $r;
    ok(eval { wait_until { $r = $client->get('/me'); $r->{status} != 200 } 'the end of service', 20; 1 },
        'is not served any longer') or diag($r->{body});
    $cluster->sql('ALTER ROLE authenticator NOSUPERUSER');
    recovers('no superuser any more');
};

scenario 'the port is taken, then it is free' => sub {
    $cluster->stop;
    my $squatter = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $cluster->port, Listen => 5,
        ReuseAddr => 1) or die $!;
    $cluster->start;
    says(qr/could not listen on .* port \d+: Address already in use/, 'port taken');
    $squatter->close;
    recovers('the port is free');
};

scenario 'a host that does not exist' => sub {
    $cluster->sql(q(ALTER DATABASE api SET pgrst.server_host = '203.0.113.77'));
    says(qr/could not listen on "203\.0\.113\.77"/, 'not an address of this machine');
    $cluster->sql('ALTER DATABASE api RESET pgrst.server_host');
    recovers('the address is right');
};

scenario 'no slot for a worker' => sub {
    # The launcher of logical replication takes none with max_logical_replication_workers = 0.
    $cluster->append_conf(max_worker_processes => 1, max_logical_replication_workers => 0);
    $cluster->restart;
    says(qr/No background worker slot is free for the gateway \(max_worker_processes\)/, 'no slot for the gateway');
    $cluster->append_conf(max_worker_processes => 2);
    $cluster->restart;
    says(qr/No background worker slot is free for an executor \(max_worker_processes\)/, 'no slot for an executor');
    $cluster->append_conf(max_worker_processes => 3);
    $cluster->restart;
    recovers('one slot for each');
    $cluster->append_conf(max_worker_processes => 32, max_logical_replication_workers => 4);
    $cluster->restart;
    recovers('slots for all');
};

scenario 'a database of another encoding' => sub {
    $cluster->sql(q(ALTER DATABASE api RENAME TO api_utf8));
    $cluster->sql(q(CREATE DATABASE api ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0));
    says(qr/encoding of the database is not UTF8/, 'LATIN1');
    $cluster->sql('DROP DATABASE api');
    $cluster->sql(q(ALTER DATABASE api_utf8 RENAME TO api));
    recovers('UTF8');
};

scenario 'a schema to expose that does not exist' => sub {
    $cluster->sql(q(ALTER DATABASE api SET pgrst.db_schemas = 'api, not_there'));
    my $r;
    wait_until { $r = $client->get('/items', 'Accept-Profile' => 'not_there'); $r->{status} != 406 } 'the setting', 20;
    is($client->get('/items?id=eq.1')->{status}, 200, 'the others are served');
    $cluster->sql('CREATE SCHEMA not_there; CREATE TABLE not_there.items (id int); GRANT USAGE ON SCHEMA not_there TO anon; GRANT SELECT ON not_there.items TO anon', db => 'api');
    is($client->get('/items', 'Accept-Profile' => 'not_there')->{status}, 200, 'served once it is there');
    $cluster->sql(q(ALTER DATABASE api RESET pgrst.db_schemas));
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
