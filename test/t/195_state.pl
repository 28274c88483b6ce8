# No state of a session that user code can change outlives the request that changed it, however that
# ended. The table of doc/operations.md, "Nothing of one request is visible to the next", in its order.

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
    'pgrst.db_tx_end' => 'commit-allow-override',
});
my $client = PgrstClient->new($cluster->port);
my @author = bearer({role => 'author', sub => 'ada'});

# What it is; what a request does; what another sees of it, as SQL that yields one value.
my @states = (
    ['settings', q(SET work_mem = '7MB'; SET search_path = nowhere; SET TIME ZONE 'Asia/Tokyo'; SET client_min_messages = error),
        q(current_setting('work_mem') || current_setting('search_path') || current_setting('timezone') || current_setting('client_min_messages'))],
    ['settings by set_config()', q(SELECT set_config('statement_timeout', '59s', false)), q(current_setting('statement_timeout'))],
    ['settings of its own', q(SET my.own = 'left'), q(coalesce(current_setting('my.own', true), ''))],
    ['characteristics of later transactions', q(SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE),
        q(current_setting('transaction_isolation') || current_setting('default_transaction_isolation') || current_setting('default_transaction_read_only')
          || current_setting('default_transaction_deferrable'))],
    ['the limit of pg_trgm', q(SELECT public.set_limit(0.987)), q(public.show_limit())],
    ['the role', q(SET ROLE editor), q(current_user || current_setting('role'))],
    ['the last value of a sequence', q(SELECT nextval('api.state_seq')), q(api.tried('SELECT lastval()') || api.tried($s$SELECT currval('api.state_seq')$s$))],
    ['temporary tables', q(CREATE TEMP TABLE left_table AS SELECT 1 AS a), q(to_regclass('pg_temp.left_table'))],
    ['temporary tables that a commit empties', q(CREATE TEMP TABLE left_rows (a int) ON COMMIT DELETE ROWS), q(to_regclass('pg_temp.left_rows'))],
    ['temporary views', q(CREATE TEMP VIEW left_view AS SELECT 1 AS a), q(to_regclass('pg_temp.left_view'))],
    ['temporary types', q(CREATE TYPE pg_temp.left_type AS ENUM ('a'); CREATE DOMAIN pg_temp.left_domain AS int),
        q((SELECT count(*) FROM pg_type WHERE typname IN ('left_type', 'left_domain')))],
    ['temporary functions', q(CREATE FUNCTION pg_temp.left_function() RETURNS int LANGUAGE sql AS 'SELECT 1'),
        q((SELECT count(*) FROM pg_proc WHERE proname = 'left_function'))],
    ['temporary operators', q(CREATE OPERATOR pg_temp.=== (PROCEDURE = int4eq, LEFTARG = int, RIGHTARG = int)),
        q((SELECT count(*) FROM pg_operator WHERE oprname = '==='))],
    ['temporary sequences', q(CREATE TEMP SEQUENCE left_seq; SELECT nextval('left_seq')), q(to_regclass('pg_temp.left_seq')::text || api.tried('SELECT lastval()'))],
    ['prepared statements', q(PREPARE left_statement AS SELECT 1), q((SELECT count(*) FROM pg_prepared_statements))],
    ['held cursors', q(DECLARE left_cursor CURSOR WITH HOLD FOR SELECT 1), q((SELECT count(*) FROM pg_cursors WHERE name = 'left_cursor'))],
    ['advisory locks', q(SELECT pg_advisory_lock(7), pg_advisory_lock_shared(8), pg_advisory_xact_lock(9)), q((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'))],
    ['large objects that are open', q(SELECT lo_open(lo_creat(-1), 393216)), q(api.tried('SELECT loread(0, 1)'))],
    ['snapshots for others', q(SELECT pg_export_snapshot()), q((SELECT count(*) FROM pg_ls_dir('pg_snapshots')))],
    ['constraints that wait', q(SET CONSTRAINTS ALL DEFERRED), q('')],
    ['weak checks of isn', q(SELECT public.isn_weak(true)), q(public.isn_weak())],
    ['what was discarded', q(DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP; DEALLOCATE ALL; CLOSE ALL; RESET ALL), q('')],
);

my $quote = sub { (my $text = $_[0]) =~ s/'/''/g; "'$text'" };
$cluster->sql(<<'SQL', db => 'api');
CREATE EXTENSION isn; CREATE EXTENSION pg_trgm; CREATE EXTENSION dblink;
CREATE SEQUENCE api.state_seq; GRANT ALL ON api.state_seq TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO PUBLIC;
-- The value, or the code of the error.
CREATE FUNCTION api.tried(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE value text;
BEGIN EXECUTE query INTO value; RETURN value; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
-- As pg_cancel_backend() from outside.
CREATE FUNCTION api.be_cancelled() RETURNS void LANGUAGE sql SECURITY DEFINER AS
  'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(600)';
CREATE FUNCTION api.leave(statements text[], how text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE statement text;
BEGIN
  FOREACH statement IN ARRAY statements LOOP EXECUTE statement; END LOOP;
  IF how = 'fails' THEN RAISE 'as it should'; END IF;
  IF how = 'is cancelled' THEN PERFORM api.be_cancelled(); END IF;
  RETURN pg_backend_pid();
END $$;
CREATE FUNCTION api.draw() RETURNS float LANGUAGE sql AS 'SELECT random()';
CREATE FUNCTION api.connections() RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('pid', pg_backend_pid(), 'open', public.dblink_get_connections())$$;
CREATE FUNCTION api.dial(dir text) RETURNS int LANGUAGE sql SECURITY DEFINER AS
  $$SELECT pg_backend_pid() FROM public.dblink_connect('left_open', 'dbname=api user=postgres host=' || dir)$$;
SQL
$cluster->sql('CREATE FUNCTION api.look() RETURNS jsonb LANGUAGE sql AS ' . $quote->(
    "SELECT jsonb_build_object('pid', pg_backend_pid(), "
    . join(', ', map { $quote->($_->[0]) . ", ($_->[2])::text" } @states) . ')'), db => 'api');

sub look {
    my $r = $client->post('/rpc/look', body => {});
    is($r->{status}, 200, 'a look') or diag($r->{body});
    return $r->{json};
}

my %ends = ('commits' => 200, 'is rolled back' => 200, 'fails' => 400, 'is cancelled' => 500);
my $untouched = look();
is($untouched->{'the role'}, 'anonanon', 'a request of nobody');

for my $state (@states) {
    my ($name, $statements) = @$state;
    scenario $name => sub {
        for my $how (sort keys %ends) {
            my @prefer = $how eq 'is rolled back' ? (Prefer => 'tx=rollback') : ();
            my $r = $client->post('/rpc/leave', @author, @prefer,
                body => {statements => [split /; /, $statements], how => $how});
            is($r->{status}, $ends{$how}, "$how: $statements") or diag($r->{body});
            is_deeply(look(), $untouched, "$how: nothing is left");
        }
    };
}
is(look()->{pid}, $untouched->{pid}, 'all on one executor');

scenario 'random numbers that were made to come' => sub {
    my $draw = sub { $client->get('/rpc/draw')->{body} };
    my %foretold = map { $_ => 1 } split /\n/,
        $cluster->sql(q(SET extra_float_digits = 1; SELECT setseed(0.5); SELECT random() FROM generate_series(1, 50)), db => 'api');
    for my $how (sort keys %ends) {
        my @prefer = $how eq 'is rolled back' ? (Prefer => 'tx=rollback') : ();
        my $r = $client->post('/rpc/leave', @author, @prefer, body => {statements => ['SELECT setseed(0.5)'], how => $how});
        is($r->{status}, $ends{$how}, "setseed: $how");
        my @drawn = map { $draw->() } 1 .. 3;
        ok(!(grep { $foretold{$_} } @drawn), "$how: nobody can tell what comes");
        $foretold{$_} = 1 for @drawn;
    }
};

scenario 'a channel to listen on' => sub {
    my $r = $client->post('/rpc/leave', @author, body => {statements => ['LISTEN left_channel'], how => 'commits'});
    is($r->{json}{code}, '0A000', 'LISTEN is refused');
    $r = $client->post('/rpc/leave', @author, body => {statements => ['UNLISTEN *'], how => 'commits'});
    is($r->{status}, 200, 'UNLISTEN has nothing to do');
};

scenario 'named connections of dblink' => sub {
    for my $prefer ('tx=commit', 'tx=rollback') {
        my $r = $client->post('/rpc/dial', @author, Prefer => $prefer, body => {dir => $cluster->dir});
        is($r->{status}, 200, "$prefer: connects") or diag($r->{body});
        my $next = $client->get('/rpc/connections')->{json};
        is($next->{open}, undef, "$prefer: the next request has no connection");
        isnt($next->{pid}, $r->{body}, "$prefer: as its executor is a new one");
    }
    my $pid = $client->get('/rpc/connections')->{json}{pid};
    is($client->post('/rpc/look', body => {})->{status}, 200, 'other requests');
    isnt($client->get('/rpc/connections')->{json}{pid}, $pid, 'an executor that has loaded dblink ends');
};

scenario 'buffers for temporary tables' => sub {
    for my $buffers (300, 400, 500) {
        my $r = $client->post('/rpc/leave', @author, body => {how => 'commits',
            statements => ["SET temp_buffers = $buffers", 'CREATE TEMP TABLE t AS SELECT 1 AS a']});
        is($r->{status}, 200, "$buffers: as many as were asked for") or diag($r->{body});
    }
    my @temp = (body => {how => 'commits', statements => ['CREATE TEMP TABLE t AS SELECT 1 AS a']});
    my $pid = $client->post('/rpc/leave', @author, @temp)->{body};
    $cluster->sql('ALTER ROLE editor SET temp_buffers = 200');
    my $r = $client->post('/rpc/leave', bearer({role => 'editor'}), @temp);
    is($r->{status}, 200, 'a role that wants another number than the executor has') or diag($r->{body});
    is($r->{body}, $pid, 'on the same executor');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
