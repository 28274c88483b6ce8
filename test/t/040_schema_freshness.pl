# A request sent after a DDL transaction has committed sees it, without NOTIFY; what does not change the
# schema loads nothing anew.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;

my $cluster = PgrstCluster->start_with_api;
my $kept = PgrstClient->connect($cluster->port);
my $session = $cluster->session('api');

# Of `count` rounds, those whose request did not give `expected` at once.
sub stale {
    my ($count, $sql, $path, $expected) = @_;
    my @stale;
    for my $i (1 .. $count) {
        my @texts = map { my $t = $_; $t =~ s/%d/$i/g; $t } $sql, $path;
        $session->sql($texts[0]);
        my $r = $kept->get($texts[1]);
        my $got = $r->{status} == 200 ? $r->{body} : "$r->{status} $r->{json}{code}";
        (my $wanted = $expected) =~ s/%d/$i/g;
        push @stale, "round $i: $got" if $got ne $wanted;
    }
    return join '; ', @stale[0 .. ($#stale > 4 ? 4 : $#stale)];
}

scenario '200 times CREATE TABLE, and the next request finds it' => sub {
    is(stale(200, 'CREATE TABLE api.fresh_%d AS SELECT %d AS n; GRANT SELECT ON api.fresh_%d TO anon',
        '/fresh_%d', '[{"n":%d}]'), '', 'none stale');
};

scenario '200 times ALTER TABLE ADD COLUMN, and the next request can select and filter it' => sub {
    is(stale(200, 'ALTER TABLE api.fresh_%d ADD COLUMN c%d int DEFAULT %d', '/fresh_%d?select=c%d&c%d=eq.%d',
        '[{"c%d":%d}]'), '', 'none stale');
};

scenario '200 times ALTER TABLE RENAME COLUMN and change of type' => sub {
    is(stale(200, 'ALTER TABLE api.fresh_%d RENAME COLUMN c%d TO d%d', '/fresh_%d?select=d%d', '[{"d%d":%d}]'),
        '', 'renamed');
    is(stale(200, 'ALTER TABLE api.fresh_%d ALTER COLUMN d%d TYPE text', '/fresh_%d?select=d%d&d%d=eq.%d',
        '[{"d%d":"%d"}]'), '', 'the type changed, although the statement was prepared');
};

scenario '200 times DROP TABLE, and the next request misses it' => sub {
    is(stale(200, 'DROP TABLE api.fresh_%d', '/fresh_%d', '404 PGRST205'), '', 'none stale');
};

scenario 'views, schemas, grants' => sub {
    is(stale(50, 'CREATE OR REPLACE VIEW api.changing AS SELECT %d AS n; GRANT SELECT ON api.changing TO anon',
        '/changing', '[{"n":%d}]'), '', 'CREATE OR REPLACE VIEW');
    is(stale(20, 'REVOKE SELECT ON api.changing FROM anon', '/changing', '401 42501'), '', 'REVOKE');
    is(stale(20, 'GRANT SELECT ON api.changing TO anon', '/changing', '[{"n":50}]'), '', 'GRANT');
    is(stale(1, 'ALTER VIEW api.changing RENAME TO changed', '/changed', '[{"n":50}]'), '', 'RENAME');
    is(stale(1, 'ALTER VIEW api.changed SET SCHEMA private', '/changed', '404 PGRST205'), '', 'out of the schema');
    is(stale(1, 'ALTER VIEW private.changed SET SCHEMA api', '/changed', '[{"n":50}]'), '', 'into it');
};

scenario 'a transaction that has not committed is not seen' => sub {
    $session->sql('BEGIN; CREATE TABLE api.uncommitted AS SELECT 1 AS n; GRANT SELECT ON api.uncommitted TO anon');
    is($kept->get('/uncommitted')->{status}, 404, 'before COMMIT');
    $session->sql('COMMIT');
    is($kept->get('/uncommitted')->{status}, 200, 'after COMMIT');
    $session->sql('BEGIN; DROP TABLE api.uncommitted; ROLLBACK');
    is($kept->get('/uncommitted')->{status}, 200, 'after a DROP that was rolled back');
};

scenario 'DDL while requests come in all the time' => sub {
    my @others = map { PgrstClient->connect($cluster->port) } 1 .. 8;
    my $failed = 0;
    my $stale = '';
    for my $i (1 .. 100) {
        $_->send('GET', '/items?select=id&order=id') for @others;
        $stale .= stale(1, "CREATE TABLE api.busy_$i AS SELECT $i AS n; GRANT SELECT ON api.busy_$i TO anon",
            "/busy_$i", qq([{"n":$i}]));
        $failed += grep { $_->response->{status} != 200 } @others;
    }
    is($stale, '', 'none stale');
    is($failed, 0, 'no other request failed');
};

scenario 'what changes nothing loads nothing' => sub {
    $session->sql('CREATE TABLE api.quiet (id int PRIMARY KEY, t text); GRANT SELECT ON api.quiet TO anon;'
        . ' CREATE MATERIALIZED VIEW api.seen AS SELECT * FROM api.quiet');
    is($kept->get('/quiet')->{status}, 200, 'the table is there');
    for my $sql (
        'INSERT INTO api.quiet SELECT n, n FROM generate_series(1, 1000) n', 'ANALYZE api.quiet', 'ANALYZE pgrst.config', 'ANALYZE',
        'VACUUM api.quiet', 'VACUUM FULL api.quiet', 'VACUUM', 'CREATE INDEX quiet_t ON api.quiet (t)',
        'CREATE INDEX CONCURRENTLY quiet_t2 ON api.quiet (t)', 'REINDEX TABLE api.quiet', 'DROP INDEX api.quiet_t',
        'CLUSTER api.quiet USING quiet_pkey', 'REFRESH MATERIALIZED VIEW api.seen',
        'CREATE TEMPORARY TABLE passing (id int PRIMARY KEY, t text)', 'DROP TABLE passing',
        'CREATE TEMPORARY VIEW passing_view AS SELECT 1 AS one', 'TRUNCATE api.quiet',
        'BEGIN; CREATE TABLE api.never (id int); ROLLBACK', 'CHECKPOINT', 'ALTER SYSTEM SET work_mem = 5000',
        "SELECT pg_stat_reset()", 'CREATE SEQUENCE private.s', q(SELECT nextval('private.s')),
        'PREPARE p AS SELECT 1', 'LOCK TABLE api.quiet',
    ) {
        my $before = $cluster->status('schema_loads');
        $session->sql(/^LOCK/ ? "BEGIN; $_; COMMIT" : $_) for $sql;
        is($kept->get('/quiet?select=id&limit=1')->{status}, 200, "served after: $sql");
        is($cluster->status('schema_loads'), $before, "no load: $sql");
    }
    my $before = $cluster->status('schema_loads');
    $session->sql('ALTER TABLE api.quiet ADD COLUMN more int');
    is($kept->get('/quiet?select=more')->{status}, 200, 'a new column');
    is($cluster->status('schema_loads'), $before + 1, 'is one load');
};

scenario 'requests are answered while others make hints without end' => sub {
    my @storm = map { $cluster->session('api') } 1 .. 3;
    $_->send('DO $$ BEGIN FOR i IN 1 .. 1000000 LOOP CREATE TEMPORARY TABLE s (a int); DROP TABLE s; COMMIT; '
            . 'END LOOP; END $$')
        for @storm;
    my $begun = time;
    is($kept->get('/quiet?select=id&limit=1')->{status}, 200, "request $_") for 1 .. 20;
    cmp_ok(time() - $begun, '<', 60, 'none waits until the storm is over');
    is(stale(5, 'CREATE TABLE api.in_storm_%d AS SELECT %d AS n; GRANT SELECT ON api.in_storm_%d TO anon',
        '/in_storm_%d', '[{"n":%d}]'), '', 'and none is stale');
    $cluster->sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO $$%'));
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
