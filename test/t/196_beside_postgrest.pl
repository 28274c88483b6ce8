# Preloading changes nothing for a PostgREST that serves a database of the same cluster: what it sends,
# and what its administrator sets.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->new(conf => {
    'pgrst.db_scemas' => 'a slip of the pen',
    'pgrst.jwt_cache_max_lifetime' => '3600',
    'pgrst.db_uri' => 'postgresql://',
});
$cluster->start;
$cluster->load_api('api');
$cluster->wait_for_http;
$cluster->sql('CREATE DATABASE other; CREATE ROLE beside LOGIN NOINHERIT');

scenario 'slips of the pen in postgresql.conf' => sub {
    my $log = $cluster->log;
    like($log, qr/WARNING:  unrecognized configuration parameter "pgrst\.db_scemas"/, 'are told');
    unlike($log, qr/WARNING:.*jwt_cache_max_lifetime|WARNING:.*db_uri/, 'names that PostgREST knows are none');
    my $position = $cluster->log_position;
    $cluster->append_conf('pgrst.db_plan_enable' => 'on');
    $cluster->reload;
    $cluster->wait_for_log(qr/unrecognized configuration parameter "pgrst\.db_plan_enable"/, $position);
};

# PostgREST's statements, cut to what they do with settings.
my $upsert = q(SELECT set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) + 1)::text, true) <> '0');
my @names = qw(db_aggregates_enabled client_error_verbosity db_anon_role db_pre_config db_extra_search_path db_max_rows
    db_plan_enabled db_pre_request db_prepared_statements db_root_spec db_schemas db_tx_end db_hoisted_tx_settings jwt_aud
    jwt_role_claim_key jwt_secret jwt_secret_is_base64 jwt_cache_max_lifetime openapi_mode openapi_security_active
    openapi_server_proxy_uri server_cors_allowed_origins server_trace_header server_timing_enabled url_use_legacy_target_names);
my $pre_config = "SELECT string_agg(current_setting(x, true), ',') IS NOT NULL FROM unnest('{"
    . join(',', map { "pgrst.$_" } @names) . "}'::text[]) x";

for my $db (qw(api other)) {
    scenario "in database $db" => sub {
        my $run = sub {
            my ($sql, $what, $user) = @_;
            my ($status, $output, $messages) = $cluster->psql($sql, db => $db, user => $user // 'beside');
            is($status, 0, $what) or diag($messages);
            is($messages, '', "$what: nothing to say");
            return $output;
        };
        is($run->("BEGIN; $upsert; SELECT nullif(current_setting('pgrst.inserted', true), '')::int; COMMIT", 'an upsert'), "t\n1", 'counts');
        $run->(q(BEGIN; SELECT set_config('pgrst.tmp_x', clock_timestamp()::text, true); COMMIT), 'a timer');
        is($run->($pre_config, 'its own look at all settings'), 't', 'none is refused');
        is($run->(q(BEGIN; SELECT set_config('pgrst.jwt_secret', 'thirty-two characters at the least', true) <> '';
            SELECT current_setting('pgrst.jwt_secret', true); COMMIT; SELECT current_setting('pgrst.jwt_secret', true)), 'a db-pre-config'),
            "t\nthirty-two characters at the least\n", 'sees what it sets, and the secret of this server never');
        for my $setting ("jwt_cache_max_lifetime = '3600'", "db_uri = 'postgresql://'", "raw_media_types = 'text/html'",
            "not_existing = 'should be ignored'", "db_pool_timeout = '10'", "db_schemas = 'a, b'", "db_max_rows = '500'",
            "jwt_secret = 'REALLY=REALLY=REALLY=REALLY=VERY=SAFE'", "db_tx_end = 'commit-allow-override'") {
            my ($name) = $setting =~ /^(\w+)/;
            for my $whose ('ROLE beside', "ROLE beside IN DATABASE $db", "DATABASE $db") {
                $run->("ALTER $whose SET pgrst.$setting; ALTER $whose RESET pgrst.$name", "ALTER $whose SET pgrst.$setting", 'postgres');
            }
        }
        $run->(q(ALTER ROLE beside SET pgrst.jwt_secret = 'thirty-two characters at the least'), 'a secret of a role', 'postgres');
        is($run->(q(SELECT current_setting('pgrst.jwt_secret')), 'its functions ask for it'), 'thirty-two characters at the least', 'and get it');
        $run->('ALTER ROLE beside RESET ALL', 'no more', 'postgres');
    };
}

scenario 'the secret of this server' => sub {
    my $shown = sub { $cluster->sql('SHOW pgrst.jwt_secret', db => $_[0], user => $_[1]) };
    my $secret = PgrstCluster::secret();
    $cluster->sql('CREATE ROLE auditor LOGIN; GRANT pg_read_all_settings TO auditor');
    for my $db (qw(api other)) {
        is($shown->($db, 'postgres'), $secret, "$db: a superuser sees it");
        is($shown->($db, 'auditor'), $secret, "$db: so does who may read all settings");
        is($shown->($db, 'beside'), '', "$db: others do not");
        my $try = sub { ($cluster->psql($_[0], db => $db, user => 'beside'))[1] };
        for my $way ("SELECT current_setting('pgrst.jwt_secret')", 'SHOW ALL', 'TABLE pg_settings',
            "BEGIN; SAVEPOINT a; SET LOCAL pgrst.jwt_secret = 'another secret of thirty-two characters'; ROLLBACK TO a; SHOW pgrst.jwt_secret",
            "SET pgrst.jwt_secret = 'another secret of thirty-two characters'; RESET pgrst.jwt_secret; SHOW pgrst.jwt_secret",
            "ALTER ROLE beside SET pgrst.jwt_secret FROM CURRENT; SELECT rolconfig FROM pg_roles WHERE rolname = 'beside'",
            "SET pgrst.jwt_secret TO DEFAULT; SHOW pgrst.jwt_secret", "EXPLAIN (SETTINGS) SELECT 1") {
            unlike($try->($way), qr/\Q$secret\E/, "$db: nor by $way");
        }
        $cluster->sql('ALTER ROLE beside RESET ALL');
    }
    $cluster->sql(q(CREATE FUNCTION api.tell() RETURNS text LANGUAGE sql AS 'SELECT current_setting(''pgrst.jwt_secret'', true)'), db => 'api');
    wait_until { PgrstClient->new($cluster->port)->get('/rpc/tell')->{status} == 200 } 'the function';
    is(PgrstClient->new($cluster->port)->get('/rpc/tell')->{body}, '""', 'nor a request');
};

scenario 'slips of the pen in settings of the authenticator' => sub {
    my $position = $cluster->set_for_authenticator(db_scheme => 'api', jwt_cache_max_lifetime => '10');
    $cluster->wait_for_log(qr/database "api": unrecognized setting "pgrst\.db_scheme"/, $position);
    unlike($cluster->log($position), qr/unrecognized setting "pgrst\.jwt_cache/, 'what PostgREST knows is none');
    is(PgrstClient->new($cluster->port)->get('/items?id=eq.1')->{status}, 200, 'requests are served');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
