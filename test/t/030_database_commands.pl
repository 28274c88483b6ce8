# Commands that need a database without sessions, on databases that are served.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(time);

my $cluster = PgrstCluster->start_with_api(databases => 'api, other, third');
my $client = PgrstClient->new($cluster->port);

# Runs one command, which must end in time; returns its error message, '' for none.
sub command {
    my ($sql, %options) = @_;
    my $begun = time();
    my ($status, undef, $messages) = $cluster->psql("SET statement_timeout = '40s'; $sql", %options);
    cmp_ok(time() - $begun, '<', 30, "ends in time: $sql");
    return $status == 0 ? '' : $messages;
}

sub served {
    my ($what) = @_;
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.1&select=id')->{body}, '[{"id":1}]', "served: $what");
}

sub not_served {
    my ($what) = @_;
    wait_until { $cluster->refuses_connections } 'the end of the listener';
    pass("not served: $what");
}

scenario 'DROP DATABASE and creating it again' => sub {
    for my $how ('', 'WITH (FORCE)') {
        is(command("DROP DATABASE api $how"), '', "DROP DATABASE $how");
        not_served('the database is gone');
        $cluster->load_api('api');
        served("created again after DROP DATABASE $how");
    }
};

scenario 'DROP DATABASE in the middle of a request' => sub {
    my $connection = PgrstClient->connect($cluster->port);
    $connection->send('GET', '/sleep');
    wait_until { $cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep')) eq '1' }
        'the statement';
    is(command('DROP DATABASE api'), '', 'DROP DATABASE');
    like($connection->response->{status}, qr/^(?:503|599)$/, 'the request is lost');
    $cluster->load_api('api');
    served('created again');
};

scenario 'a DROP DATABASE that fails brings the service back soon' => sub {
    my $session = $cluster->session('api');
    $session->sql('SELECT 1');
    like(command('DROP DATABASE api'), qr/is being accessed by other users/, 'refused');
    my $begun = time();
    served('after the refusal');
    cmp_ok(time() - $begun, '<', 10, 'without the back-off of a gateway that failed');
    $session->close;
};

scenario 'RENAME' => sub {
    is(command('ALTER DATABASE api RENAME TO renamed'), '', 'away');
    not_served('no database of that name');
    is(command('ALTER DATABASE renamed RENAME TO api'), '', 'back');
    served('renamed back');
    is(command('BEGIN; ALTER DATABASE api RENAME TO renamed; ROLLBACK'), '', 'rolled back');
    served('after the rollback');
};

scenario 'CREATE DATABASE with a served template' => sub {
    is(command('CREATE DATABASE copy TEMPLATE api'), '', 'a copy');
    served('after the copy');
    my $port = PgrstCluster::free_port();
    is(command("CREATE DATABASE other TEMPLATE api; ALTER DATABASE other SET pgrst.server_port = $port"), '',
        'a copy that is a database to serve as well');
    served('the template');
    $cluster->wait_for_http(port => $port);
    is(PgrstClient->new($port)->get('/items?id=eq.1')->{status}, 200, 'the copy, on a port of its own');
    is($cluster->status('state', of => $_), 'serving', "$_: pgrst.status") for qw(api other);
    is(command('DROP DATABASE other'), '', 'dropping one');
    served('the other one');
};

scenario 'ALTER DATABASE ... SET TABLESPACE' => sub {
    is(command('ALTER DATABASE api SET TABLESPACE pg_default'), '', 'to where it is');
    served('after it');
};

scenario 'databases that are not served never wait' => sub {
    for (1 .. 3) {
        is(command('CREATE DATABASE x'), '', 'CREATE');
        is(command('DROP DATABASE x'), '', 'DROP');
        is(command('CREATE DATABASE third; DROP DATABASE third'), '', 'one to be served, at once dropped');
        is(command('CREATE DATABASE x TEMPLATE DEFAULT; DROP DATABASE x'), '', 'a template without a name');
    }
    served('all the time');
};

scenario 'who may not do it cannot stop the service' => sub {
    $cluster->sql('CREATE ROLE nosy LOGIN; CREATE ROLE builder LOGIN CREATEDB');
    my $gateway = $cluster->gateway_pid;
    for my $user (qw(nosy builder)) {
        for my $sql ('DROP DATABASE api', 'DROP DATABASE api WITH (FORCE)', 'ALTER DATABASE api RENAME TO mine',
            'CREATE DATABASE mine TEMPLATE api', 'ALTER DATABASE api SET TABLESPACE pg_default')
        {
            like(command($sql, user => $user), qr/must be owner|permission denied/, "$user: $sql");
            is($client->get('/items?id=eq.1')->{status}, 200, 'served at once');
        }
    }
    is($cluster->gateway_pid, $gateway, 'by the same process');
};

scenario 'commands refused in transaction blocks do not stop the service' => sub {
    my $gateway = $cluster->gateway_pid;
    like(command("BEGIN; $_; COMMIT"), qr/cannot (?:run|be executed)/, $_)
        for 'DROP DATABASE api', 'CREATE DATABASE mine TEMPLATE api';
    is($cluster->gateway_pid, $gateway, 'same process');
    served('all the time');
};

scenario 'a requester that gives up brings the service back' => sub {
    my $session = $cluster->session('postgres');
    $session->sql('BEGIN');
    $session->sql('ALTER DATABASE api RENAME TO renamed');
    not_served('while the transaction is open');
    my $pid = $session->sql('SELECT pg_backend_pid()');
    $cluster->sql("SELECT pg_terminate_backend($pid)");
    served('after its session ended');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
