# Nothing of one request is visible to the next, on an executor that both use.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api(conf => {
    'pgrst.db_pool' => 1,
    'pgrst.db_pool_max_idletime' => 600,
});
my $client = PgrstClient->new($cluster->port);
my @author = bearer({role => 'author', sub => 'ada'});

my $untouched = $client->get('/traces')->{json}[0];
is($untouched->{current_user}, 'anon', 'a request of nobody');
ok(!defined $untouched->{setting} || $untouched->{setting} eq '', 'there is no trace at first');

# Looks like the request before never was.
sub no_traces {
    my ($what) = @_;
    my $r = $client->get('/traces');
    is($r->{status}, 200, "the next request: $what") or diag($r->{body});
    my %seen = %{$r->{json}[0]};
    # A setting nobody defined is NULL before its first use and empty after it, as with SET LOCAL.
    ok(($seen{setting} // '') eq '', "setting of its own: $what");
    is_deeply({%seen, setting => undef}, {%$untouched, setting => undef}, "no trace: $what");
}

scenario 'settings' => sub {
    is($client->get('/leave_settings', @author)->{status}, 200, 'SET and set_config');
    no_traces('settings');
};

scenario 'the role' => sub {
    for my $how (qw(set set_config)) {
        my $r = $client->get("/leave_role?how=eq.$how", @author);
        is($r->{status}, 200, "$how: runs") or diag($r->{body});
        is($r->{json}[0]{became}, 'editor', "$how: a role that the authenticator is a member of");
        no_traces($how);
        is($client->get('/secrets')->{status}, 401, "$how: no rights of that role for the next request");
    }
    for my $how (qw(reset none authorization)) {
        my $r = $client->get("/leave_role?how=eq.$how", @author);
        is($r->{json}[0]{became}, 'authenticator', "$how: not more than the authenticator") if $r->{status} == 200;
        isnt($r->{body}, '', "$how: $r->{status}");
        no_traces($how);
    }
    for my $how ('superuser', 'be%20superuser', 'stranger') {
        my $r = $client->get("/leave_role?how=eq.$how", @author);
        is($r->{status}, 403, "$how: refused");
        is($r->{json}{code}, '42501', "$how: code");
        no_traces($how);
    }
};

scenario 'advisory locks of the session' => sub {
    is($client->get('/leave_locks', @author)->{status}, 200, 'after a commit');
    no_traces('locks');
    is($client->get('/leave_locks_and_fail', @author)->{status}, 400, 'after an error');
    no_traces('locks after an error');
};

scenario 'prepared statements and held cursors' => sub {
    my $r = $client->get('/leave_statements', @author);
    is($r->{status}, 200, 'PREPARE, DECLARE ... WITH HOLD') or diag($r->{body});
    no_traces('statements');
    is($client->get('/leave_statements', @author)->{status}, 200, 'the names are free again');
};

scenario 'temporary tables are refused in read-only transactions' => sub {
    my $r = $client->get('/leave_temporary_table', @author);
    is($r->{status}, 405, 'status');
    is($r->{json}{code}, '25006', 'code');
    no_traces('temporary table');
};

# What a temporary object leaves in the catalogs may be so large that it is stored out of line.
scenario 'temporary objects, small and large, after a commit and after an error' => sub {
    $cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.stash(kind text, secret text, fails bool DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE list text := (SELECT string_agg(quote_literal(md5(i::text)), ',') FROM generate_series(1, 400) i);
BEGIN
  IF kind = 'table' THEN CREATE TEMP TABLE stash (secret text);
  ELSIF kind = 'check' THEN EXECUTE format('CREATE TEMP TABLE stash (secret text, kind text DEFAULT ''x'', CHECK (kind NOT IN (%s)))', list);
  ELSIF kind = 'index' THEN CREATE TEMP TABLE stash (secret text); CREATE INDEX ON stash (md5(secret)) WHERE secret <> '';
  ELSIF kind = 'view' THEN
    CREATE TEMP TABLE stash (secret text);
    EXECUTE format('CREATE TEMP VIEW stash_view AS SELECT secret FROM stash WHERE secret NOT IN (%s)', list);
  ELSIF kind = 'function' THEN
    CREATE TEMP TABLE stash (secret text);
    EXECUTE format('CREATE FUNCTION pg_temp.stashed() RETURNS text LANGUAGE sql AS $f$ SELECT md5(v) FROM (VALUES (%s)) t(v) $f$',
      replace(list, ',', '), ('));
  ELSIF kind = 'type' THEN CREATE TEMP TABLE stash (secret text); CREATE TYPE pg_temp.mood AS ENUM ('good', 'bad');
  END IF;
  INSERT INTO stash VALUES (stash.secret);
  IF fails THEN RAISE EXCEPTION 'it fails'; END IF;
  RETURN kind;
END $$;
CREATE FUNCTION api.find_stash() RETURNS text LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT secret FROM stash); EXCEPTION WHEN undefined_table THEN RETURN 'nothing'; END $$;
CREATE VIEW api.temporary_objects AS
  SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema())
    + (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema())
    + (SELECT count(*) FROM pg_type WHERE typnamespace = pg_my_temp_schema()) AS n;
GRANT SELECT ON api.temporary_objects TO anon;
SQL
    for my $kind (qw(table check index view function type)) {
        for my $fails (0, 1) {
            my $r = $client->post('/rpc/stash', body => {kind => $kind, secret => 'of ada', fails => $fails}, @author);
            is($r->{status}, $fails ? 400 : 200, "$kind: is made") or diag($r->{body});
            my $what = $fails ? "$kind, after an error" : $kind;
            is($client->post('/rpc/find_stash', body => {})->{body}, '"nothing"', "not seen by the next request: $what");
            is($client->get('/temporary_objects')->{body}, '[{"n":0}]', "none is left: $what");
        }
    }
    no_traces('temporary objects');
};

scenario 'statements prepared for one role do not lend its rights to another' => sub {
    is($client->get('/secrets', bearer({role => 'editor'}))->{status}, 200, 'an editor may') for 1 .. 3;
    is($client->get('/secrets', @author)->{status}, 403, 'an author may not');
    is($client->get('/secrets')->{status}, 401, 'nobody may not');
    is($client->get('/secrets', bearer({role => 'editor'}))->{status}, 200, 'an editor still may');
};

scenario 'row-level security sees the claims of its own request' => sub {
    for (1 .. 3) {
        is($client->get('/posts?select=id&order=id', @author)->{body}, qq([{"id":1}, \n {"id":3}]), 'of ada');
        is($client->get('/posts?select=id&order=id', bearer({role => 'author', sub => 'bob'}))->{body}, '[{"id":2}]', 'of bob');
        is(scalar @{$client->get('/posts?select=id', bearer({role => 'editor'}))->{json}}, 3, 'of an editor');
        is($client->get('/posts')->{status}, 401, 'of nobody');
    }
};

scenario 'time-outs and settings of roles' => sub {
    $cluster->sql(q(ALTER ROLE author SET statement_timeout = '300ms'; ALTER ROLE author SET work_mem = '9MB'));
    my $r = $client->get('/sleep', @author);
    is($r->{status}, 500, 'a statement beyond the time-out: status');
    is($r->{json}{code}, '57014', 'code');
    is($client->get('/traces', @author)->{json}[0]{statement_timeout}, '300ms', 'its setting');
    is($client->get('/traces', @author)->{json}[0]{work_mem}, '9MB', 'another setting');
    no_traces('settings of another role');
    is($client->get('/nap')->{status}, 200, 'others are not cut short');
    $cluster->sql('ALTER ROLE author RESET ALL');
    is($client->get('/traces', @author)->{json}[0]{work_mem}, $untouched->{work_mem}, 'the setting is gone');
};

scenario 'settings that only a superuser may make are not made for a role' => sub {
    $cluster->sql(q(ALTER ROLE author SET log_min_duration_statement = 12345));
    my $r = $client->get('/me', @author);
    is($r->{status}, 200, 'the request is served');
    $cluster->sql('ALTER ROLE author RESET ALL');
};

scenario 'an error leaves no open transaction' => sub {
    for (1 .. 10) {
        is($client->get('/items?id=eq.x')->{status}, 400, 'an error');
        is($client->get('/items?id=eq.1')->{status}, 200, 'the next request');
    }
    is($cluster->sql(q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'postgrest executor'
        AND xact_start IS NOT NULL)), '0', 'no transaction is open');
};

is($client->get('/traces')->{json}[0]{pid}, $untouched->{pid}, 'all on the same executor');
ok(!$cluster->crashed, 'no process crashed');
done_testing;
