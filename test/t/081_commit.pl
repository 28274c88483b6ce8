# How a request ends: in a transaction block, with its settings until the commit is done, and with
# none of them afterwards.

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
    # What a request says of its rollback counts, as in tests of applications.
    'pgrst.db_tx_end' => 'commit-allow-override',
    wal_level => 'replica',
    max_wal_senders => 4,
    synchronous_commit => 'local',
    log_min_messages => 'log',
});
my $client = PgrstClient->new($cluster->port);
my @author = bearer({role => 'author', sub => 'ada'});
my @editor = bearer({role => 'editor'});

my $probe = $cluster->commit_probe;
$cluster->sql(<<"SQL", db => 'api');
CREATE FUNCTION public.watch_commit(setting text) RETURNS bool LANGUAGE c AS '$probe';
CREATE TABLE api.ledger (id int PRIMARY KEY, note text, CONSTRAINT ledger_note UNIQUE (note) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE api.seen (id int, at_commit text);
-- Watches the commit, with settings made in every way there is.
CREATE FUNCTION api.spend(id int, note text, fails bool DEFAULT false) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE in_block bool := public.watch_commit('my.setting');
BEGIN
  PERFORM set_config('my.setting', note, false);
  SET work_mem = '7MB';
  SET synchronous_commit = 'off';
  INSERT INTO api.ledger VALUES (spend.id, spend.note);
  IF fails THEN RAISE EXCEPTION 'it fails'; END IF;
  RETURN in_block::text;
END \$\$;
CREATE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER AS \$\$
BEGIN
  INSERT INTO api.seen VALUES (NEW.id, concat_ws(' ', current_user, current_setting('request.method', true),
    current_setting('my.setting', true), current_setting('request.jwt.claims', true)::json->>'sub'));
  IF NEW.note LIKE 'end%' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  IF NEW.note LIKE 'cancel%' THEN PERFORM pg_cancel_backend(pg_backend_pid()); END IF;
  IF NEW.note LIKE 'fail%' THEN RAISE EXCEPTION 'not at the commit'; END IF;
  SET work_mem = '6MB';
  PERFORM set_config('my.setting', 'of the trigger', false);
  SET ROLE editor;
  RETURN NULL;
END \$\$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON api.ledger DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION public.at_commit();
CREATE VIEW api.session AS SELECT pg_backend_pid() AS pid, current_user::text AS "user", session_user::text AS "login",
  current_setting('work_mem') AS work_mem, current_setting('synchronous_commit') AS synchronous_commit,
  current_setting('my.setting', true) AS setting, current_setting('role') AS role;
GRANT INSERT, SELECT, DELETE, UPDATE ON api.ledger, api.seen TO author, editor;
GRANT SELECT ON api.session TO anon, author, editor;
GRANT EXECUTE ON FUNCTION pg_terminate_backend(int, bigint), pg_cancel_backend(int) TO author, editor;
SQL
# A member of its role may end a backend: of the login role, which runs the executors.
$cluster->sql('GRANT author TO editor; GRANT pg_signal_backend TO author');
wait_until { $client->get('/session')->{status} == 200 } 'the view';
my %untouched = %{$client->get('/session')->{json}[0]};

# Looks like the request before never was; on another executor when the last has ended.
sub no_traces {
    my ($what, %options) = @_;
    my $r = $client->get('/session');
    is($r->{status}, 200, "the next request: $what") or diag($r->{body});
    my %seen = %{$r->{json}[0]};
    ok(($seen{setting} // '') eq '', "no setting of its own: $what");
    my %expected = (%untouched, setting => $seen{setting});
    $options{ended} ? isnt(delete $seen{pid}, delete $expected{pid}, "another process: $what")
        : is($seen{pid}, $expected{pid}, "the same process: $what");
    delete @{$_}{'pid'} for \%seen, \%expected;
    is_deeply(\%seen, \%expected, "no trace: $what");
    $untouched{pid} = $r->{json}[0]{pid};
}
sub rows { return $cluster->sql("SELECT count(*) FROM api.ledger WHERE id = $_[0]", db => 'api') }

scenario 'a commit' => sub {
    my $position = $cluster->log_position;
    my $r = $client->post('/rpc/spend', body => {id => 1, note => 'first'}, @author);
    is("$r->{status} $r->{body}", '200 "true"', 'in a block') or diag($cluster->log($position));
    $cluster->wait_for_log(qr/commit_probe: after the commit/, $position);
    my $log = $cluster->log($position);
    # The trigger has changed setting and role by then.
    for my $when ('before', 'after') {
        like($log, qr/commit_probe: $when the commit synchronous_commit=off my.setting=of the trigger own_role=0/,
            "$when the commit: the settings and the role of the request");
    }
    is(rows(1), 1, 'is there');
    is($cluster->sql('SELECT at_commit FROM api.seen WHERE id = 1', db => 'api'), 'author POST first ada',
        'what the deferred trigger saw');
    no_traces('a commit');
};

scenario 'the settings of a role' => sub {
    $cluster->sql(q(ALTER ROLE author SET synchronous_commit = 'remote_write'));
    my $position = $cluster->log_position;
    $cluster->sql(<<'SQL', db => 'api');
CREATE FUNCTION api.watch() RETURNS bool LANGUAGE sql VOLATILE AS $$ SELECT public.watch_commit('request.method') $$;
SQL
    is($client->post('/rpc/watch', body => {}, @author)->{body}, 'true', 'a request');
    $cluster->wait_for_log(qr/commit_probe: after the commit synchronous_commit=remote_write request.method=POST/, $position);
    no_traces('settings of a role');
    $cluster->sql('ALTER ROLE author RESET ALL');
};

scenario 'a rollback that was asked for' => sub {
    my $position = $cluster->log_position;
    my $r = $client->post('/rpc/spend', body => {id => 2, note => 'second'}, @author, Prefer => 'tx=rollback');
    is("$r->{status} $r->{body}", '200 "true"', 'in a block');
    $cluster->wait_for_log(qr/commit_probe: after the rollback/, $position);
    unlike($cluster->log($position), qr/commit_probe: after the commit/, 'no commit');
    is(rows(2), 0, 'is not there');
    no_traces('a rollback');
};

scenario 'a rollback because of what came of it' => sub {
    $client->post('/ledger', body => [map { {id => $_, note => "row $_"} } 11 .. 13], @author);
    my @guarded = (['DELETE', Accept => 'application/vnd.pgrst.object+json', Prefer => 'return=representation'],
        ['DELETE', Prefer => 'handling=strict, max-affected=1'],
        ['PATCH', Prefer => 'handling=strict, max-affected=1', body => {note => undef}]);
    for my $case (@guarded) {
        my ($method, %headers) = @$case;
        my $r = $client->request($method, '/ledger?id=gt.10', %headers, @author);
        like($r->{status}, qr/^4/, "$method is refused");
        is($cluster->sql('SELECT count(*) FROM api.ledger WHERE id > 10 AND note IS NOT NULL', db => 'api'), 3, 'nothing is gone');
        no_traces($method);
    }
};

scenario 'an error' => sub {
    is($client->post('/rpc/spend', body => {id => 3, note => 'third', fails => JSON::PP::true()}, @author)->{status}, 400, 'status');
    is(rows(3), 0, 'is not there');
    no_traces('an error');
};

scenario 'an error in the commit' => sub {
    for my $note ('first', 'fail') {
        my $r = $client->post('/rpc/spend', body => {id => 4, note => $note}, @author);
        is($r->{status}, $note eq 'first' ? 409 : 400, "$note: status") or diag($r->{body});
        is(rows(4), 0, "$note: is not there");
        no_traces("an error in the commit: $note");
    }
};

scenario 'a cancel in the commit' => sub {
    my $r = $client->post('/rpc/spend', body => {id => 5, note => 'cancel'}, @author);
    is("$r->{status} $r->{json}{code}", '500 57014', 'status');
    is(rows(5), 0, 'is not there');
    no_traces('a cancel in the commit');
};

scenario 'the end of the process in the commit' => sub {
    my $r = $client->post('/rpc/spend', body => {id => 6, note => 'end'}, @author);
    is($r->{status}, 503, 'status') or diag($r->{body});
    is(rows(6), 0, 'is not there');
    no_traces('the end of the process', ended => 1);
};

# -- a standby that does not answer
my $standby = $cluster->standby;
$standby->start;
$cluster->sql(q(ALTER SYSTEM SET synchronous_standby_names = '*'));
$cluster->reload;
wait_until { $cluster->sql(q(SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync')) == 1 } 'a synchronous standby';

my $next_id = 100;
sub send_write {
    my $connection = PgrstClient->connect($cluster->port);
    $next_id++;
    $connection->send('POST', '/ledger', body => {id => $next_id, note => "standby $next_id"}, @author);
    return $connection;
}

# Until its commit waits for the standby.
sub begin_write {
    my $connection = send_write();
    wait_until { $cluster->sql(q(SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'postgrest executor' AND wait_event = 'SyncRep')) == 1 } 'the wait for the standby';
    return $connection;
}
sub is_unconfirmed {
    my ($r, $what) = @_;
    is("$r->{status} $r->{json}{code}", '504 40003', "$what: not confirmed") or diag($r->{body});
    like($r->{json}{details}, qr/already committed locally/, "$what: and says so");
    is(rows($next_id), 1, "$what: is there");
}

scenario 'a role that waits for the standby to apply' => sub {
    $cluster->sql(q(ALTER ROLE author SET synchronous_commit = 'remote_apply'));
    $standby->sql('SELECT pg_wal_replay_pause()');
    my $connection = begin_write();
    $standby->sql('SELECT pg_wal_replay_resume()');
    is($connection->response->{status}, 201, 'is answered when it has');
    is($standby->sql("SELECT count(*) FROM api.ledger WHERE id = $next_id", db => 'api'), 1, 'and is there by then');
    no_traces('remote_apply');
};

$standby->sql('SELECT pg_wal_replay_pause()');

scenario 'a wait that is cancelled' => sub {
    my $connection = begin_write();
    $cluster->sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'postgrest executor'));
    is_unconfirmed($connection->response, 'cancel');
    no_traces('a cancelled wait');
};

scenario 'a wait beyond server_request_timeout' => sub {
    $cluster->set_for_authenticator(server_request_timeout => '1');
    my $limited = sub { $cluster->sql(q(SELECT value FROM pgrst.effective_config WHERE name = 'server_request_timeout'), db => 'api') };
    wait_until { $limited->() eq '1' } 'the setting';
    is_unconfirmed(send_write()->response, 'time-out');
    $cluster->set_for_authenticator(server_request_timeout => undef);
    wait_until { $limited->() ne '1' } 'the end of the setting';
    no_traces('a wait that was too long');
};

scenario 'the end of the process while it waits' => sub {
    my $connection = begin_write();
    $cluster->sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'postgrest executor'));
    my $r = $connection->response;
    like($r->{status}, qr/^50[04]$/, 'an error') or diag($r->{body});
    like($r->{body}, qr/committed/, 'that says that it has committed');
    is(rows($next_id), 1, 'as it has');
    no_traces('the end of the process', ended => 1);
};

scenario 'a role that does not wait' => sub {
    $cluster->sql(q(ALTER ROLE author SET synchronous_commit = 'local'));
    $cluster->sql(q(ALTER SYSTEM SET synchronous_commit = 'remote_apply'));
    $cluster->reload;
    wait_until { $cluster->sql('SHOW synchronous_commit') eq 'remote_apply' } 'the setting';
    is($client->post('/ledger', body => {id => 200, note => 'local'}, @author)->{status}, 201, 'is answered');
    is(rows(200), 1, 'is there');
};

ok(!$_->crashed, 'no process crashed') for $cluster, $standby;
done_testing;
