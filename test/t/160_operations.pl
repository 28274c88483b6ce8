# What operators do to a server: several databases, dumps, upgrades, revoked rights; and what runs out.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $well = '[{"id":1}]';
my $second_port = PgrstCluster::free_port();
my $cluster = PgrstCluster->new(databases => 'api, "Second one"',
    conf => {max_locks_per_transaction => 10, max_connections => 20, max_prepared_transactions => 0});
$cluster->start;
$cluster->load_api('api');
$cluster->wait_for_http;
my $client = PgrstClient->new($cluster->port);

sub query { return $client->get('/items?id=eq.1&select=id')->{body} }

scenario 'several databases, each with a port and settings of its own' => sub {
    $cluster->load_api('Second one');
    wait_until { $cluster->status('last_error', of => 'Second one') =~ /could not listen/ } 'the port to be taken';
    $cluster->sql(qq(ALTER DATABASE "Second one" SET "pgrst.server_port" = $second_port));
    $cluster->sql(q(ALTER DATABASE "Second one" SET "pgrst.db_max_rows" = 2));
    $cluster->wait_for_http(port => $second_port);
    my $second = PgrstClient->new($second_port);
    is(scalar @{$second->get('/items')->{json}}, 2, 'the second');
    is(scalar @{$client->get('/items')->{json}}, 5, 'the first');
    $cluster->sql(q(CREATE TABLE api.here AS SELECT 1 AS n; GRANT SELECT ON api.here TO anon), db => 'Second one');
    is($second->get('/here')->{status}, 200, 'a table of the second');
    is($client->get('/here')->{status}, 404, 'is not one of the first');
    is($cluster->sql(q(SELECT count(*) FROM pgrst.stats WHERE resource = 'here'), db => 'Second one'), 1, 'statistics of the second');
    is($cluster->sql(q(SELECT count(*) FROM pgrst.stats WHERE resource = 'here'), db => 'api'), 0, 'are not those of the first');
    is($cluster->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'server_port'), db => 'Second one'), $second_port,
        'settings as well');
    $cluster->sql('SELECT pg_terminate_backend(' . $cluster->gateway_pid(of => 'Second one') . ')');
    is(query(), $well, 'the first does not notice when the gateway of the second ends');
    $cluster->wait_for_http(port => $second_port);
    $cluster->sql('DROP DATABASE "Second one"');
    is(query(), $well, 'nor when the second is dropped');
};

# What a rest costs is measured by test/bench/soak.py; a process that polls is seen here.
scenario 'processes that have nothing to do sleep' => sub {
    my $switches = sub {
        my $total = 0;
        for my $pid (split ' ', $cluster->sql('SELECT pid FROM pgrst.status WHERE pid IS NOT NULL', db => 'api')) {
            open(my $fh, '<', "/proc/$pid/status") or die "/proc/$pid/status: $!";
            $total += $_ for map { /^voluntary_ctxt_switches:\s+(\d+)/ } <$fh>;
        }
        return $total;
    };
    is(query(), $well, 'after a request');
    my ($seconds, $woken) = (5, -$switches->());
    sleep $seconds;
    $woken += $switches->();
    cmp_ok($woken, '<', 10 * $seconds, 'few times a second any of them wakes');
};

scenario 'ALTER EXTENSION UPDATE' => sub {
    my $gateway = $cluster->gateway_pid;
    $cluster->sql('ALTER EXTENSION postgrest_ext UPDATE', db => 'api');
    is(query(), $well, 'serves on');
    is($cluster->gateway_pid, $gateway, 'with the same process');
};

scenario 'DROP OWNED' => sub {
    $cluster->sql('DROP OWNED BY anon', db => 'api');
    is($client->get('/items')->{json}{code}, '42501', 'of the anonymous role: its rights are gone at once');
    is($client->get('/items?limit=1', bearer({role => 'editor'}))->{status}, 200, 'others keep theirs');
    $cluster->sql('GRANT USAGE ON SCHEMA api TO anon; GRANT SELECT ON api.items TO anon', db => 'api');
    is(query(), $well, 'and it can have them again');
    $cluster->sql('DROP OWNED BY authenticator', db => 'api');
    is(query(), $well, 'of the authenticator: it needs none');
};

# A program of PostgreSQL, with its output.
sub run_program {
    my ($name, @arguments) = @_;
    my $dir = $cluster->dir;
    return PgrstCluster::run_or_die(($cluster->psql_command)[0] =~ s{/psql$}{/$name}r, @arguments);
}

scenario 'pg_dump and restore keep pgrst.config' => sub {
    $cluster->sql(q(INSERT INTO pgrst.config VALUES ('db_max_rows', '3'), ('app.settings.x', 'kept')), db => 'api');
    my $file = $cluster->dir . '/api.dump';
    run_program('pg_dump', '-h', $cluster->dir, '-U', 'postgres', '-Fc', '-f', $file, 'api');
    my $other = PgrstCluster->new;
    $other->start;
    $other->create_roles;
    $other->sql('CREATE DATABASE api');
    run_program('pg_restore', '-h', $other->dir, '-U', 'postgres', '-d', 'api', $file);
    $other->wait_for_http;
    is($other->sql('SELECT string_agg(value, $$ $$ ORDER BY value) FROM pgrst.config', db => 'api'), '3 kept', 'the rows');
    is(scalar @{PgrstClient->new($other->port)->get('/items')->{json}}, 3, 'are in force');
    $other->stop;
    $cluster->sql('DELETE FROM pgrst.config', db => 'api');
};

scenario 'pg_upgrade' => sub {
    my $old = PgrstCluster->start_with_api;
    $old->sql(q(INSERT INTO pgrst.config VALUES ('db_max_rows', '4')), db => 'api');
    $old->stop;
    my $from = $old->log_position;
    my $new = PgrstCluster->new(port => $old->port);
    my ($bin) = ($old->psql_command)[0] =~ m{^(.*)/psql$};
    chdir $new->dir or die $!;
    my $output = eval {
        PgrstCluster::run_or_die("$bin/pg_upgrade", '-b', $bin, '-B', $bin, '-d', $old->data, '-D', $new->data,
            '-U', 'postgres', '-s', $new->dir);
    } // $@;
    chdir '/';
    like($output, qr/Upgrade Complete/, 'is done');
    unlike($output, qr/postgrest launcher/, 'without our processes');
    $new->start;
    $new->wait_for_http;
    is(scalar @{PgrstClient->new($new->port)->get('/items')->{json}}, 4, 'settings and service are as before');
    $new->stop;
};

scenario 'out of shared memory' => sub {
    $cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.take_all_locks() RETURNS bigint LANGUAGE sql
  AS 'SELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, 1000000) n';
SQL
    for my $i (1 .. 3) {
        my $r = $client->post('/rpc/take_all_locks', body => {});
        is($r->{json}{code}, '53200', "request $i fails") or diag($r->{body});
        is($r->{status}, 503, 'for the moment');
        is(query(), $well, 'the next one is answered');
    }
    is($cluster->gateway_pid > 0, 1, 'all processes live');
};

scenario 'disk full' => sub {
    plan skip_all => 'there is no /dev/full' if !-c '/dev/full';
    my $from = $cluster->log_position;
    $cluster->sql(q(ALTER ROLE authenticator SET "pgrst.log_level" = 'info'));
    $cluster->append_conf('pgrst.access_log_file' => '/dev/full');
    $cluster->reload;
    wait_until { query() eq $well && $cluster->log($from) =~ m{"/dev/full" could not be written: No space left} }
        'the access log to be full';
    is(query(), $well, 'requests are answered');
    like($cluster->log($from), qr/"GET \S+ HTTP\/1\.1" 200/, 'their lines are in the server log');
    $cluster->append_conf('pgrst.access_log_file' => '');
    $cluster->reload;
    $cluster->sql('ALTER ROLE authenticator RESET ALL');
};

ok(!$cluster->crashed, 'the server has not crashed');

done_testing;
