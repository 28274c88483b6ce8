# The role of a request, and what no role can do: run as nobody, or write where nothing may be written.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $client = PgrstClient->new($cluster->port);
$cluster->sql(<<'SQL', db => 'api');
CREATE TABLE api.own (a int); INSERT INTO api.own VALUES (1); GRANT SELECT ON api.own TO authenticator;
CREATE TABLE api.log (a int); GRANT ALL ON api.log TO anon, author;
CREATE FUNCTION api.who() RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
CREATE FUNCTION api.write() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO api.log VALUES (1) RETURNING a';
CREATE SEQUENCE api.numbers_seq; GRANT ALL ON api.numbers_seq TO anon, author;
CREATE VIEW api.number AS SELECT nextval('api.numbers_seq') AS n; GRANT SELECT ON api.number TO anon, author;
CREATE FUNCTION api.lift() RETURNS int LANGUAGE sql STABLE SET transaction_read_only = off
  AS 'SELECT 1';
SQL
wait_until { $client->get('/rpc/lift')->{status} != 404 } 'the functions';

scenario 'a role without a name' => sub {
    for my $claims ('{"role":""}', '{"role":"","exp":9999999999}', '{"r\u006fle":""}') {
        for my $path ('/rpc/who', '/own', '/items', '/secrets', '/', '/rpc/nothing') {
            my $r = $client->get($path, bearer($claims));
            is($r->{status}, 401, "$claims $path: status");
            is_deeply($r->{json}, {code => '22023', details => undef, hint => undef, message => 'role "" does not exist'}, 'body');
            is($r->{headers}{'www-authenticate'}, 'Bearer', 'header');
        }
        is($client->post('/log', bearer($claims), body => {a => 1})->{status}, 401, "$claims: a write");
    }
    is($cluster->sql('SELECT count(*) FROM api.log', db => 'api'), '0', 'nothing was written');
    $cluster->set_for_authenticator(db_anon_role => '');
    wait_until { $client->get('/items')->{status} == 401 } 'the setting';
    is($client->get('/items')->{json}{code}, 'PGRST302', 'db_anon_role = \'\' is none');
    $cluster->set_for_authenticator(db_anon_role => undef);
    wait_until { $client->get('/items')->{status} == 200 } 'the setting to go';
    is($client->get('/items', bearer('{"role":"none"}'))->{status}, 401, 'nor is "none" a role');
};

scenario 'settings of a role do not lift READ ONLY' => sub {
    for my $setting (qw(transaction_read_only=off default_transaction_read_only=off transaction_deferrable=on
        transaction_isolation=serializable Transaction_Read_Only=off)) {
        # Past the checks of ALTER ROLE, which refuses some of these.
        $cluster->sql("ALTER ROLE author SET work_mem = '9MB'; SET allow_system_table_mods = on;
            UPDATE pg_db_role_setting SET setconfig = setconfig || '$setting'::text WHERE setrole = 'author'::regrole");
        my @author = bearer({role => 'author'});
        wait_until { $client->get('/traces', @author)->{json}[0]{work_mem} eq '9MB' } 'the settings of the role';
        is($client->get('/number', @author)->{json}{code}, '25006', "$setting: nextval() by GET");
        is($client->get('/rpc/write', @author)->{json}{code}, '25006', "$setting: a write by GET");
        is($client->get('/me', @author)->{json}[0]{isolation}, 'read committed', "$setting: the isolation level");
        is($client->get('/me', @author)->{json}[0]{read_only}, 'on', "$setting: the access mode");
        is($client->post('/log', @author, body => {a => 1})->{status}, 201, "$setting: a write by POST");
        $cluster->sql('ALTER ROLE author RESET ALL');
    }
    $cluster->sql(q(ALTER ROLE author SET default_transaction_isolation = 'repeatable read'));
    wait_until { $client->get('/me', bearer({role => 'author'}))->{json}[0]{isolation} eq 'repeatable read' } 'its isolation level';
    $cluster->sql('ALTER ROLE author RESET ALL');
};

scenario 'nor do settings of a function' => sub {
    is($client->get('/rpc/lift')->{json}{code}, '25001', 'PostgreSQL refuses them when it is called');
    $cluster->set_for_authenticator(db_hoisted_tx_settings => 'transaction_read_only, transaction_isolation, statement_timeout');
    $cluster->sql(q(CREATE FUNCTION api.lift_and_write() RETURNS int LANGUAGE sql VOLATILE SET transaction_read_only = off
        SET statement_timeout = '55s' AS 'INSERT INTO api.log VALUES (2) RETURNING a'), db => 'api');
    wait_until { $client->get('/rpc/lift_and_write')->{status} != 404 } 'the function';
    my $r = $client->get('/rpc/lift_and_write');
    isnt($r->{status}, 200, "not when they are hoisted either: $r->{status}");
    is($cluster->sql('SELECT count(*) FROM api.log WHERE a = 2', db => 'api'), '0', 'nothing was written');
    $cluster->set_for_authenticator(db_hoisted_tx_settings => undef);
};

scenario 'an authenticator that inherits' => sub {
    is($cluster->status(q(coalesce(last_error, ''))), '', 'this one does not');
    my $position = $cluster->log_position;
    my $version = $cluster->sql('SHOW server_version_num');
    $cluster->sql($version >= 160000 ? 'GRANT editor TO authenticator WITH INHERIT TRUE' : 'ALTER ROLE authenticator INHERIT');
    $cluster->restart;
    $cluster->wait_for_log(qr/WARNING:  postgrest_ext: database "api": The authenticator role .* inherits/, $position);
    wait_until { $cluster->status('last_error') =~ /inherits the rights/ } 'pgrst.status';
    $cluster->wait_for_http;
    is($client->get('/items?id=eq.1')->{status}, 200, 'it is served all the same');
    $cluster->sql($version >= 160000 ? 'GRANT editor TO authenticator WITH INHERIT FALSE' : 'ALTER ROLE authenticator NOINHERIT');
    $cluster->sql('NOTIFY pgrst', db => 'api');
    wait_until { $cluster->status(q(coalesce(last_error, ''))) eq '' } 'the end of it';
};

scenario 'pgrst.to_sql() in the hands of others' => sub {
    $cluster->sql(<<'SQL', db => 'api');
INSERT INTO pgrst.config VALUES ('app.settings.key', 'of the owner');
ALTER ROLE stranger LOGIN; GRANT USAGE ON SCHEMA pgrst TO stranger; GRANT SELECT ON pgrst.config TO stranger;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgrst TO stranger; GRANT stranger TO authenticator;
ALTER ROLE anon SET work_mem = '8MB';
SQL
    my $key = q(SELECT pgrst.to_sql('GET', '/items')->'settings'->>'app.settings.key');
    my $work_mem = q(SELECT pgrst.to_sql('GET', '/items')->'role_settings'->>'work_mem');
    is($cluster->sql($key, db => 'api'), 'of the owner', 'the owner sees app.settings.*');
    is($cluster->sql($key, db => 'api', user => 'stranger'), '******', 'others do not');
    isnt($cluster->sql($work_mem, db => 'api', user => 'stranger'), '8MB', 'nor settings of roles');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
