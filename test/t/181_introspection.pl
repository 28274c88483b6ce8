# Introspection holds no request up and reads what is exposed, nothing else: locks, objects that cannot be read, roles
# and objects of others, storms of notifications.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PgrstClient;
use PgrstCluster;
use Test::More;
use Time::HiRes qw(time);

my $cluster = PgrstCluster->new(databases => 'api, other', conf => {'pgrst.server_port' => 0});
$cluster->start;
$cluster->load_api($_) for qw(api other);
my $port = wait_until { $cluster->status('port', of => 'api') } 'the port';
wait_until { $cluster->status('port', of => 'other') } 'the other port';
$cluster->wait_for_http(port => $port);
my $kept = PgrstClient->new($port);
my $session = $cluster->session('api');
my $others = 'SELECT sum(schema_loads) FROM pgrst.status';

# Loads of both databases once each has looked at everything that was committed before. A check that is under way may
# have begun earlier, so two are waited for.
sub loads_after_checks {
    for (1 .. 2) {
        my %before = map { ($_ => $cluster->status('schema_checks', of => $_)) } qw(api other);
        $session->sql('CREATE ROLE probe; DROP ROLE probe');
        for my $db (keys %before) {
            wait_until { $cluster->status('schema_checks', of => $db) > $before{$db} } "a check of $db";
        }
    }
    return $cluster->sql($others, db => 'api');
}

sub loads_nothing {
    my ($sql, %options) = @_;
    my $before = $cluster->sql($others, db => 'api');
    $session->sql($sql);
    is($kept->get('/items?select=id&limit=1')->{status}, 200, "served after: $sql");
    is(loads_after_checks(), $before, "no load: $sql") if $options{shared};
    is($cluster->sql($others, db => 'api'), $before, "no load: $sql") if !$options{shared};
}

scenario 'roles that no request may become load nothing anywhere' => sub {
    loads_nothing($_, shared => 1) for (
        'CREATE ROLE passing', q(ALTER ROLE passing PASSWORD 'secret'), 'CREATE ROLE second; GRANT second TO passing',
        'REVOKE second FROM passing', q(ALTER ROLE passing SET work_mem = '5MB'), q(ALTER ROLE anon PASSWORD 'new'),
        q(ALTER DATABASE postgres SET work_mem = '5MB'), 'ALTER ROLE passing RENAME TO passed', 'DROP ROLE passed, second',
    );
};

scenario 'a setting of a role that requests become loads both databases once' => sub {
    my $before = $cluster->sql($others, db => 'api');
    $session->sql(q(ALTER ROLE anon SET work_mem = '6MB'));
    wait_until { $cluster->sql($others, db => 'api') == $before + 2 } 'two loads';
    is(loads_after_checks(), $before + 2, 'and no more');
};

scenario 'what is not exposed loads nothing' => sub {
    $session->sql('CREATE SCHEMA mine');
    loads_nothing($_) for (
        'CREATE TABLE mine.t (id int PRIMARY KEY, t text)', 'CREATE VIEW mine.v AS SELECT * FROM mine.t',
        'ALTER TABLE mine.t ADD COLUMN u int', 'CREATE FUNCTION mine.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
        q(CREATE TYPE mine.mood AS ENUM ('x')), 'CREATE DOMAIN mine.d AS text', 'CREATE TABLE mine.u (t_id int REFERENCES mine.t)',
        'CREATE FUNCTION mine.j(mine.d) RETURNS json LANGUAGE sql IMMUTABLE AS $$SELECT NULL::json$$',
        'CREATE CAST (mine.d AS json) WITH FUNCTION mine.j(mine.d) AS IMPLICIT',
        q(COMMENT ON TABLE mine.t IS 'nobody sees it'), 'CREATE SEQUENCE api.sequence_of_nobody', 'DROP SCHEMA mine CASCADE',
        'CREATE TEMPORARY TABLE t (id int PRIMARY KEY)', 'CREATE TEMPORARY VIEW v AS SELECT * FROM api.items',
        'CREATE DOMAIN pg_temp.d AS int', q(CREATE TYPE pg_temp.e AS ENUM ('x')),
        'CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$', 'DISCARD ALL',
    );
    $session->sql('CREATE TABLE api.parted (id int, day date) PARTITION BY RANGE (day)');
    is($kept->get('/parted')->{status}, 401, 'a partitioned table');
    loads_nothing(q(CREATE TABLE api.part_1 PARTITION OF api.parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')));
};

scenario 'what an exposed view stands on counts, however deep' => sub {
    $session->sql('CREATE TABLE private.base (id int PRIMARY KEY, t text); CREATE VIEW private.v1 AS SELECT * FROM private.base;'
        . 'CREATE VIEW private.v2 AS SELECT * FROM private.v1; CREATE VIEW api.top AS SELECT * FROM private.v2;'
        . 'GRANT SELECT ON api.top TO anon');
    my $allowed = sub { $kept->request('OPTIONS', '/top')->{headers}{allow} };
    like($allowed->(), qr/POST,PATCH,DELETE/, 'it can be written to');
    $session->sql('CREATE OR REPLACE VIEW private.v1 AS SELECT DISTINCT * FROM private.base');
    is($allowed->(), 'OPTIONS,GET,HEAD', 'two views below something was changed');
    $session->sql('CREATE RULE r AS ON DELETE TO private.v1 DO INSTEAD NOTHING');
    is($allowed->(), 'OPTIONS,GET,HEAD,DELETE', 'a rule was added');
};

scenario 'what can be done with views is what PostgreSQL says' => sub {
    $session->sql(<<'SQL');
CREATE TABLE api.u_t (id int PRIMARY KEY, t text, g int GENERATED ALWAYS AS (1) STORED);
CREATE VIEW api.u_all AS SELECT * FROM api.u_t WHERE id > 1;
CREATE VIEW api.u_computed AS SELECT t || 'x' AS t FROM api.u_t;
CREATE VIEW api.u_partly AS SELECT id, t || 'x' AS t FROM api.u_t;
CREATE VIEW api.u_above_partly AS SELECT t FROM api.u_partly;
CREATE VIEW api.u_twice AS SELECT id, id AS again FROM api.u_t;
CREATE VIEW api.u_grouped AS SELECT t, count(*) FROM api.u_t GROUP BY t;
CREATE VIEW api.u_joined AS SELECT a.id FROM api.u_t a JOIN api.u_t b USING (id);
CREATE VIEW api.u_limited AS SELECT * FROM api.u_t LIMIT 1;
CREATE VIEW api.u_constant AS SELECT 1 AS one;
CREATE VIEW api.u_ctid AS SELECT ctid, id FROM api.u_t;
CREATE VIEW api.u_row AS SELECT u_t FROM api.u_t;
CREATE VIEW api.u_subselect AS SELECT (SELECT max(id) FROM api.u_t) AS m, id FROM api.u_t;
CREATE VIEW api.u_settings AS SELECT * FROM pg_settings;
CREATE VIEW api.u_with AS WITH w AS (SELECT * FROM api.u_t) SELECT * FROM w;
CREATE VIEW api.u_union AS SELECT id FROM api.u_t UNION ALL SELECT 1;
CREATE MATERIALIZED VIEW api.u_kept AS SELECT * FROM api.u_t;
CREATE VIEW api.u_on_kept AS SELECT * FROM api.u_kept;
CREATE VIEW api.u_ruled AS SELECT count(*) FROM api.u_t;
CREATE RULE r1 AS ON INSERT TO api.u_ruled DO INSTEAD NOTHING;
CREATE RULE r2 AS ON UPDATE TO api.u_ruled WHERE old.count > 1 DO INSTEAD NOTHING;
CREATE RULE r3 AS ON DELETE TO api.u_ruled DO ALSO NOTHING;
CREATE VIEW api.u_on_ruled AS SELECT * FROM api.u_ruled;
CREATE FUNCTION private.none() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE VIEW api.u_triggered AS SELECT count(*) FROM api.u_t;
CREATE TRIGGER t INSTEAD OF UPDATE OR DELETE ON api.u_triggered FOR EACH ROW EXECUTE FUNCTION private.none();
CREATE VIEW api.u_on_triggered AS SELECT * FROM api.u_triggered;
CREATE VIEW api.u_parted AS SELECT * FROM api.parted;
SQL
    my %methods = (8 => 'POST', 4 => 'PATCH', 16 => 'DELETE');
    my $rows = $session->sql(q(SELECT relname, pg_relation_is_updatable(oid, true) FROM pg_class
        WHERE relnamespace = 'api'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition ORDER BY relname));
    for my $row (split /\n/, $rows) {
        my ($name, $events) = split /\|/, $row;
        my $expected = join ',', map { $events & $_ ? $methods{$_} : () } 8, 4, 16;
        (my $allow = $kept->request('OPTIONS', "/$name")->{headers}{allow}) =~ s/^OPTIONS,GET,HEAD,?|PUT,//g;
        is($allow, $expected, $name);
    }
};

scenario 'a lock on a view is not waited for' => sub {
    my $locker = $cluster->session('api');
    $locker->sql('BEGIN; LOCK TABLE api.top, api.items IN ACCESS EXCLUSIVE MODE');
    $session->sql('CREATE TABLE api.under_lock AS SELECT 1 AS n; GRANT SELECT ON api.under_lock TO anon');
    is($kept->get('/under_lock')->{body}, '[{"n":1}]', 'a new table is found meanwhile');
    is($kept->request('OPTIONS', '/top')->{headers}{allow}, 'OPTIONS,GET,HEAD,DELETE', 'and what can be done with the view');
    is($cluster->status('left_out'), '', 'nothing is left out');
    $locker->sql('ROLLBACK');
};

scenario 'a lock on a foreign table is not waited for either' => sub {
    plan skip_all => 'postgres_fdw is not there' if !eval { $session->sql('CREATE EXTENSION postgres_fdw'); 1 };
    $session->sql(q(CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
        CREATE FOREIGN TABLE api.far (id int) SERVER far OPTIONS (updatable 'false'); GRANT SELECT ON api.far TO anon));
    my $allowed = sub { $kept->request('OPTIONS', '/far')->{headers}{allow} };
    is($allowed->(), 'OPTIONS,GET,HEAD', 'it cannot be written to');
    my $locker = $cluster->session('api');
    $locker->sql('BEGIN; ALTER FOREIGN TABLE api.far ADD COLUMN never int');    # LOCK refuses foreign tables
    $session->sql('CREATE TABLE api.under_far AS SELECT 1 AS n; GRANT SELECT ON api.under_far TO anon');
    is($kept->get('/under_far')->{body}, '[{"n":1}]', 'a new table is found meanwhile');
    $locker->sql('ROLLBACK');
    wait_until { $allowed->() eq 'OPTIONS,GET,HEAD' } 'it is looked at again';
    pass('it is looked at again when the lock is gone');
};

scenario 'what holds introspection up holds no request up for long' => sub {
    my $locker = $cluster->session('api');
    $locker->sql('BEGIN; LOCK TABLE pgrst.config IN ACCESS EXCLUSIVE MODE');
    $session->sql('CREATE TABLE api.behind AS SELECT 1 AS n; GRANT SELECT ON api.behind TO anon');
    is($kept->get('/items?select=id&limit=1')->{status}, 200, "request $_ is answered from the old cache") for 1 .. 10;
    is($session->sql(q(SELECT count(*) FROM pg_locks WHERE relation = 'pgrst.config'::regclass AND mode = 'AccessExclusiveLock'
        AND granted)), 1, 'while the lock was held');
    wait_until { $cluster->status('last_error') =~ /lock timeout/ } 'the problem in pgrst.status';
    $locker->sql('ROLLBACK');
    wait_until { $kept->get('/behind')->{status} == 200 } 'the new table';
    pass('afterwards the new table is there');
    is($cluster->status('last_error'), '', 'and the problem gone');
};

# The deepest view of nested subselects that can still be created in this session.
sub create_deepest_view {
    my ($in, $name) = @_;
    my $kind = $name =~ /\./ ? 'VIEW' : 'TEMPORARY VIEW';
    my ($works, $fails) = (10, 20000);
    while ($fails - $works > 1) {
        my $n = int(($works + $fails) / 2);
        my $query = '(SELECT ' x $n . '1' . ')' x $n;
        if (eval { $in->sql("CREATE OR REPLACE $kind $name AS SELECT $query AS x"); 1 }) { $works = $n } else { $fails = $n }
    }
}

scenario 'a view that cannot be read is left out, and named' => sub {
    my $creator = $cluster->session('api');
    create_deepest_view($creator, 'passing');
    create_deepest_view($creator, 'private.deep');
    $session->sql('CREATE TABLE api.beside AS SELECT 1 AS n; GRANT SELECT ON api.beside TO anon');
    is($kept->get('/beside')->{body}, '[{"n":1}]', 'of others nothing is read');
    is($cluster->status('left_out'), '', 'so nothing is left out');
    create_deepest_view($creator, 'api.deep');
    is($kept->get('/items?select=id&limit=1')->{status}, 200, 'others are served');
    like($cluster->status('left_out'), qr/^view api\.deep: stack depth limit exceeded$/, 'an exposed one is named');
    $session->sql('CREATE TABLE api.beside2 AS SELECT 1 AS n; GRANT SELECT ON api.beside2 TO anon');
    is($kept->get('/beside2')->{body}, '[{"n":1}]', 'and does not keep the rest from being read');
    like($cluster->log, qr/some objects could not be read\n.*view api\.deep/, 'the log tells');
    $session->sql('DROP VIEW api.deep');
    $kept->get('/beside2');
    is($cluster->status('left_out'), '', 'until it is gone');
};

scenario 'domains over domains' => sub {
    my $depth = 1500;
    $session->sql("CREATE SCHEMA deep; CREATE DOMAIN deep.d0 AS int; DO \$\$BEGIN FOR i IN 1 .. $depth LOOP"
        . " EXECUTE format('CREATE DOMAIN deep.d%s AS deep.d%s', i, i - 1); END LOOP; END\$\$");
    $session->sql("CREATE TABLE api.domains (a deep.d$depth, b deep.d1, c deep.d0); GRANT SELECT ON api.domains TO anon;"
        . " CREATE FUNCTION api.domain() RETURNS deep.d$depth LANGUAGE sql AS 'SELECT 1'");
    is($kept->get('/domains?a=eq.1')->{status}, 200, 'are found');
    my $columns = $kept->get('/', Accept => 'application/openapi+json')->{json}{definitions}{domains}{properties};
    is($columns->{$_}{type}, 'integer', "the type below $_") for qw(a b c);
    is($kept->get('/rpc/domain')->{body}, '1', 'as results of functions');
};

scenario 'a storm of notifications does not mean a storm of loads' => sub {
    my $before = $cluster->status('schema_loads');
    my $begun = time;
    for (1 .. 300) {
        $session->sql('NOTIFY pgrst');
        $kept->get('/items?select=id&limit=1') if $_ % 10 == 0;
    }
    my $seconds = time - $begun;
    my $loads = $cluster->status('schema_loads') - $before;
    cmp_ok($loads, '>=', 1, 'there were loads');
    cmp_ok($loads, '<=', 7 + $seconds, 'five at once, then one a second');
    is(stale_after_storm(), '[{"n":1}]', 'and DDL is seen at once all the same');
};

sub stale_after_storm {
    $session->sql('CREATE TABLE api.after_storm AS SELECT 1 AS n; GRANT SELECT ON api.after_storm TO anon');
    return $kept->get('/after_storm')->{body};
}

scenario 'pgrst.introspection tells what took how long' => sub {
    my %rows = map { (split /\|/)[0, 1] } split /\n/, $session->sql('SELECT query, rows FROM pgrst.introspection');
    is($rows{tables}, $cluster->status('tables'), 'rows of the query for tables');
    cmp_ok(scalar keys %rows, '>=', 17, 'a row for each query');
    is($session->sql('SELECT count(*) FROM pgrst.introspection WHERE ms > 0 OR rows = 0'),
        scalar keys %rows, 'each took some time');
};

ok(!$cluster->crashed, 'no process crashed');
done_testing;
