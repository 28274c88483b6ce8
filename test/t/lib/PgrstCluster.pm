# A throw-away PostgreSQL cluster with postgrest_ext in it, for the tests in test/t.
#
#   my $cluster = PgrstCluster->start_with_api;              # database "api" with test/fixtures/api.sql, served
#   my $cluster = PgrstCluster->new(conf => {...});          # nothing started yet
#   $cluster->start; $cluster->stop('fast'); $cluster->restart('immediate'); $cluster->reload;
#   $cluster->sql('SELECT 1'), $cluster->sql($text, db => 'postgres')    one value, or dies
#   my $session = $cluster->session('api'); $session->sql('BEGIN');      one connection kept open
#   wait_until { ... } 'what is waited for';                 # polls, dies after the deadline
#   scenario 'what it shows' => sub { ... };                 # a subtest
#
# Servers listen on a socket in their own directory and on 127.0.0.1 (HTTP) only. PostgreSQL refuses
# root: loading this module as root makes the process become the user postgres (or nobody), after the
# fixtures were read. Everything is removed at the end, unless PGRST_TEST_KEEP is set; servers are
# stopped through their own pid files. PG_CONFIG chooses the PostgreSQL.
package PgrstCluster;

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use File::Path ();
use File::Temp ();
use IO::Socket::INET;
use IPC::Open3 ();
use POSIX ();
use Symbol ();
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(scenario wait_until deadline_s);

my ($bindir, $top_dir, %fixtures, @clusters);
my $main_pid = $$;

BEGIN {
    # The caller's settings must lead no program to another server.
    delete $ENV{$_} for grep { /^PG(?!_CONFIG$|RST_)/ } keys %ENV;
    $ENV{LC_ALL} = 'C';
    $SIG{PIPE} = 'IGNORE';
    # So that END stops the servers.
    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
}

# How long a test waits for what must happen soon; generous, because machines may be slow.
sub deadline_s { return $ENV{PGRST_TEST_DEADLINE} || 60 }

# -- before anything else: read what only the first user may be able to read, then become another
# -------------------------------------------------------------------------------------------------

sub slurp {
    my ($file) = @_;
    open(my $fh, '<', $file) or die "$file: $!";
    local $/;
    return <$fh>;
}

sub find_postgresql {
    my @candidates = $ENV{PG_CONFIG} || ('pg_config', reverse glob('/usr/lib/postgresql/*/bin/pg_config'));
    for my $candidate (@candidates) {
        chomp(my $dir = `'$candidate' --bindir 2>/dev/null` // '');
        return $dir if $dir ne '' && -x "$dir/initdb";
    }
    die "no PostgreSQL server found; set PG_CONFIG\n";
}

sub become_unprivileged {
    return if $> != 0;
    my ($user) = grep { defined getpwnam $_ } qw(postgres nobody);
    die "neither user postgres nor nobody exists\n" if !defined $user;
    my ($uid, $gid) = (getpwnam $user)[2, 3];
    $) = "$gid $gid";
    $( = $gid;
    $< = $> = $uid;
    die "cannot become $user\n" if $< != $uid || $> != $uid || (split ' ', $))[0] != $gid;
}

{
    my $here = dirname(Cwd::abs_path(__FILE__));
    $fixtures{$_} = slurp("$here/../../fixtures/$_.sql") for qw(api);
    $fixtures{demo} = slurp("$here/../../demo/schema.sql");
    $fixtures{full_disk} = slurp("$here/../../fixtures/full_disk/full_disk.cpp");
    $fixtures{failing_malloc} = slurp("$here/../../fixtures/failing_malloc/failing_malloc.cpp");
    $fixtures{commit_probe} = slurp("$here/../../fixtures/commit_probe/commit_probe.c");
    $bindir = find_postgresql();
    become_unprivileged();
    my $parent = $ENV{TMPDIR} || '/tmp';
    $parent = '/tmp' if length $parent > 60 || !-w $parent;    # the path of a socket is short
    $top_dir = File::Temp::tempdir('pgrst-t-XXXXXX', DIR => $parent);
    $ENV{HOME} = $top_dir;
    chdir $top_dir or die "$top_dir: $!";
}

sub run_or_die {
    my (@command) = @_;
    my $log = "$top_dir/command.log";
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        open(STDIN, '<', '/dev/null');
        open(STDOUT, '>', $log);
        open(STDERR, '>&', \*STDOUT);
        exec(@command) or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    die "failed: @command\n" . slurp($log) if $? != 0;
    return slurp($log);
}

# initdb once for each test file; its clusters are copies.
sub template_dir {
    my $dir = "$top_dir/template";
    return $dir if -d $dir;
    run_or_die("$bindir/initdb", '-D', $dir, '-U', 'postgres', '-A', 'trust', '--no-sync',
        '--encoding=UTF8', '--no-locale');
    return $dir;
}

# -- helpers for tests
# -------------------------------------------------------------------------------------------------

# A subtest whose exceptions fail it, not the file.
sub scenario {
    my ($name, $code) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return subtest $name => sub {
        eval { $code->(); 1 } or do { chomp(my $problem = $@); fail("exception: $problem") };
    };
}

# Calls the block until it returns something true, and returns that; dies after the deadline.
sub wait_until(&;$$) {
    my ($block, $what, $seconds) = @_;
    my $end = time() + ($seconds // deadline_s());
    while (1) {
        my $value = $block->();
        return $value if $value;
        die 'timed out waiting for ' . ($what // 'a condition') . "\n" if time() > $end;
        sleep 0.03;
    }
}

my %given_ports;

# A port that nobody uses now, below the range that the kernel takes ports of clients from.
sub free_port {
    for (1 .. 200) {
        my $port = 10000 + int rand 22000;
        next if $given_ports{$port}++;
        my $socket = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1, ReuseAddr => 1);
        return $port if $socket;
    }
    die "no free port\n";
}

# -- the cluster
# -------------------------------------------------------------------------------------------------

# Options: databases (names to serve, default "api"), conf (settings of postgresql.conf, over the
# defaults below), port (of HTTP), without_extension_settings (a server that knows nothing of it).
sub new {
    my ($class, %options) = @_;
    my $number = @clusters + 1;
    my $self = bless {
        dir    => "$top_dir/c$number",
        port   => $options{port} // free_port(),
        pgport => 5432,
        running => 0,
    }, $class;
    $self->{data} = "$self->{dir}/data";
    $self->{logfile} = "$self->{dir}/log";
    mkdir $self->{dir}, 0700 or die "$self->{dir}: $!";
    push @clusters, $self;
    return $self if $options{empty};
    run_or_die('cp', '-a', template_dir(), $self->{data});
    $self->append_conf(%{$self->default_conf(%options)}, %{$options{conf} || {}});
    return $self;
}

sub default_conf {
    my ($self, %options) = @_;
    return {
        listen_addresses => '',
        unix_socket_directories => $self->{dir},
        fsync => 'off',
        max_worker_processes => 32,
        max_connections => 60,
        timezone => 'UTC',
        log_timezone => 'UTC',
        log_line_prefix => '%m [%p] %b ',
        autovacuum => 'off',
        shared_preload_libraries => 'postgrest_ext',
        'pgrst.databases' => $options{databases} // 'api',
        'pgrst.server_host' => '127.0.0.1',
        'pgrst.server_port' => $self->{port},
        'pgrst.db_schemas' => 'api, api2',
        'pgrst.db_anon_role' => 'anon',
        'pgrst.jwt_secret' => PgrstCluster::secret(),
    };
}

# Signs the tokens of the tests.
sub secret { return 'a secret of thirty-two characters, or more' }

# A running cluster whose database "api" is loaded and served.
sub start_with_api {
    my ($class, %options) = @_;
    my $self = $class->new(%options);
    $self->start;
    $self->load_api('api');
    $self->wait_for_http;
    return $self;
}

# Creates a database with the fixtures and the extension.
sub load_api {
    my ($self, $db) = @_;
    $self->create_roles;
    $self->sql(qq(CREATE DATABASE "$db"));
    $self->sql($fixtures{api}, db => $db);
    $self->sql('CREATE EXTENSION postgrest_ext', db => $db);
}

# Creates a database with the demo's schema, of few rows, and the extension.
sub load_demo {
    my ($self, $db) = @_;
    $self->sql(qq(CREATE DATABASE "$db"));
    $self->sql("\\set readings 500\n$fixtures{demo}", db => $db);
    $self->sql('CREATE EXTENSION IF NOT EXISTS postgrest_ext', db => $db);
}

sub create_roles {
    my ($self) = @_;
    $self->sql(<<'SQL');
DO $$ BEGIN
  IF to_regrole('authenticator') IS NULL THEN CREATE ROLE authenticator LOGIN NOINHERIT; END IF;
  IF to_regrole('anon') IS NULL THEN
    CREATE ROLE anon; CREATE ROLE author; CREATE ROLE editor; CREATE ROLE stranger;
    GRANT anon, author, editor TO authenticator;
  END IF;
END $$;
SQL
}

sub port { return $_[0]{port} }
sub data { return $_[0]{data} }
sub dir { return $_[0]{dir} }

sub append_conf {
    my ($self, %conf) = @_;
    open(my $fh, '>>', "$self->{data}/postgresql.conf") or die $!;
    for my $name (sort keys %conf) {
        (my $value = $conf{$name}) =~ s/'/''/g;
        print $fh "$name = '$value'\n";
    }
    close $fh or die $!;
}

sub pg_ctl {
    my ($self, @arguments) = @_;
    return run_or_die("$bindir/pg_ctl", '-D', $self->{data}, '-w', '-t', deadline_s(), @arguments);
}

sub start {
    my ($self) = @_;
    $self->{running} = 1;
    eval { $self->pg_ctl('-l', $self->{logfile}, 'start'); 1 }
        or die $@ . (-e $self->{logfile} ? $self->log : '');
}

sub stop {
    my ($self, $mode) = @_;
    $self->pg_ctl('-m', $mode || 'fast', 'stop');
    $self->{running} = 0;
}

sub restart {
    my ($self, $mode) = @_;
    $self->stop($mode);
    $self->start;
}

sub reload { $_[0]->sql('SELECT pg_reload_conf()') }

# The path of the library test/fixtures/commit_probe, as CREATE FUNCTION wants it.
sub commit_probe {
    my ($source, $library) = map { "$top_dir/commit_probe.$_" } qw(c so);
    return $library if -e $library;
    open(my $fh, '>', $source) or die "$source: $!";
    print {$fh} $fixtures{commit_probe};
    close $fh or die "$source: $!";
    chomp(my $include = run_or_die("$bindir/pg_config", '--includedir-server'));
    run_or_die($ENV{CC} || 'cc', '-shared', '-fPIC', "-I$include", '-o', $library, $source);
    return $library;
}

# Starts it on a disk that can be full: see fill_disk().
sub start_on_small_disk {
    my ($self) = @_;
    local @ENV{qw(LD_PRELOAD FULL_DISK_SWITCH FULL_DISK_DIR)} =
        (preloadable('full_disk'), "$self->{dir}/full", "$self->{data}/");
    return $self->start;
}

# Starts it so that allocations can be made to fail: see fail_allocation().
sub start_with_failing_malloc {
    my ($self) = @_;
    $self->{control} = "$self->{dir}/failing_malloc";
    $self->fail_allocation(0, -1);
    local @ENV{qw(LD_PRELOAD FAILING_MALLOC)} = (preloadable('failing_malloc'), $self->{control});
    return $self->start;
}

# Of that process, after `count` allocations more, one fails. -1: none.
sub fail_allocation {
    my ($self, $pid, $count) = @_;
    open(my $fh, -e $self->{control} ? '+<:raw' : '>:raw', $self->{control}) or die "$self->{control}: $!";
    syswrite $fh, pack('qq', $pid, $count) or die "$self->{control}: $!";
    close $fh or die $!;
}

# Whether the allocation has failed by now.
sub allocation_has_failed {
    my ($self) = @_;
    return (unpack 'qq', slurp($self->{control}))[1] < 0;
}

# The library of that fixture, compiled at its first use.
sub preloadable {
    my ($name) = @_;
    my ($source, $library) = map { "$top_dir/$name.$_" } qw(cpp so);
    if (!-e $library) {
        open(my $fh, '>', $source) or die "$source: $!";
        print {$fh} $fixtures{$name};
        close $fh or die "$source: $!";
        run_or_die($ENV{CXX} || 'c++', '-std=c++20', '-O1', '-shared', '-fPIC', '-o', $library, $source);
    }
    return $library;
}

# From now on no file of the cluster can grow.
sub fill_disk {
    my ($self) = @_;
    open(my $fh, '>', "$self->{dir}/full") or die "$self->{dir}/full: $!";
    close $fh;
}

sub empty_disk {
    my ($self) = @_;
    unlink "$self->{dir}/full" or die "$self->{dir}/full: $!";
}

# Sets pgrst.* settings of the authenticator (undef: resets) and has them read. Returns the position in the log before.
sub set_for_authenticator {
    my ($self, %settings) = @_;
    my $position = $self->log_position;
    $self->sql(join '', map {
        my $name = qq("pgrst.$_");
        'ALTER ROLE authenticator ' . (defined $settings{$_} ? "SET $name = '$settings{$_}';" : "RESET $name;")
    } sort keys %settings);
    $self->sql('NOTIFY pgrst', db => 'api');
    return $position;
}

sub wait_until_it_serves_on {
    my ($self, $where, $position) = @_;
    return $self->wait_for_log(qr/serving database "api" on \Q$where\E\n/, $position);
}

sub promote { $_[0]->pg_ctl('promote') }

sub is_running {
    my ($self) = @_;
    my $pid = eval { $self->postmaster_pid };    # its file goes when it ends
    return $pid && kill(0, $pid);
}

sub postmaster_pid {
    my ($self) = @_;
    return (split /\n/, slurp("$self->{data}/postmaster.pid"))[0];
}

# Everything logged, or what was logged after an earlier log_position.
sub log {
    my ($self, $from) = @_;
    return substr(slurp($self->{logfile}), $from || 0);
}
sub log_position { return -s $_[0]{logfile} }

sub wait_for_log {
    my ($self, $pattern, $from) = @_;
    return wait_until { $self->log($from) =~ $pattern } "$pattern in the log";
}

# True when nothing in the log (from a position on) tells of a crash of the server.
sub crashed {
    my ($self, $from) = @_;
    return $self->log($from) =~
        /terminated by signal (?!15\b)|server process .* was terminated|TRAP:|reinitializing|PANIC/;
}

# A streaming standby of this cluster; not started.
sub standby {
    my ($self) = @_;
    my $standby = PgrstCluster->new(empty => 1);
    run_or_die("$bindir/pg_basebackup", '-D', $standby->{data}, '-h', $self->{dir}, '-U', 'postgres',
        '-R', '-X', 'stream', '-c', 'fast', '--no-sync');
    chmod 0700, $standby->{data};
    $standby->append_conf(
        unix_socket_directories => $standby->{dir},
        'pgrst.server_port' => $standby->{port},
    );
    return $standby;
}

# -- SQL
# -------------------------------------------------------------------------------------------------

sub psql_command {
    my ($self, %options) = @_;
    return ("$bindir/psql", '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', $self->{dir},
        '-U', $options{user} // 'postgres', '-d', $options{db} // 'postgres');
}

# Runs SQL text through a connection of its own; returns (status, output, messages).
sub psql {
    my ($self, $sql, %options) = @_;
    my $err = Symbol::gensym();
    my $pid = IPC::Open3::open3(my $in, my $out, $err, $self->psql_command(%options), '-f', '-');
    print $in $sql;
    close $in;
    local $/;
    my $output = <$out> // '';
    my $messages = <$err> // '';
    waitpid $pid, 0;
    my $status = $?;
    $output =~ s{\n\z}{};
    return ($status, $output, $messages);
}

# The output of SQL that must succeed.
sub sql {
    my ($self, $sql, %options) = @_;
    my ($status, $output, $messages) = $self->psql($sql, %options);
    die "psql failed: $sql\n$messages" if $status != 0;
    return $output;
}

# A connection that stays open. Its sql() dies when a statement fails.
sub session {
    my ($self, $db, %options) = @_;
    return PgrstCluster::Session->new($self->psql_command(db => $db // 'api', %options));
}

# -- what the extension says about itself
# -------------------------------------------------------------------------------------------------

# A column of the gateway's row in pgrst.status; seen from any database that has the extension.
sub status {
    my ($self, $column, %options) = @_;
    my $of = $options{of} // 'api';
    return $self->sql("SELECT $column FROM pgrst.status WHERE process = 'gateway' AND database = '$of'",
        db => $options{db} // 'api');
}

sub gateway_pid { my ($self, %options) = @_; return $self->status('pid', %options) }

sub executor_pids {
    my ($self, %options) = @_;
    my $db = $options{db} // 'api';
    return split /\n/, $self->sql(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'postgrest executor' AND datname = '$db'");
}

# Waits until somebody answers HTTP on the cluster's port, or another, with anything but 503.
sub wait_for_http {
    my ($self, %options) = @_;
    require PgrstClient;
    my $port = $options{port} // $self->{port};
    my $path = $options{path} // '/';
    eval {
        wait_until {
            my $response = PgrstClient->new($port)->get($path);
            $response->{status} != 599 && $response->{status} != 503;
        } "HTTP on port $port";
    } or die $@ . $self->log;
}

sub refuses_connections {
    my ($self, $port) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port // $self->{port}, Timeout => 5);
    return !defined $socket;
}

# -- the end
# -------------------------------------------------------------------------------------------------

END {
    if (defined $top_dir && $$ == $main_pid) {
        local $?;
        my $failed = !Test::More->builder->is_passing;
        for my $cluster (grep { $_->{running} } @clusters) {
            diag("log of $cluster->{dir}:\n" . substr($cluster->log, -4000)) if $failed;
            eval { $cluster->stop('immediate'); 1 } or diag("could not stop $cluster->{dir}: $@");
        }
        chdir '/';
        if ($ENV{PGRST_TEST_KEEP}) {
            diag("kept: $top_dir");
        } else {
            File::Path::remove_tree($top_dir, {safe => 0});
        }
    }
}

# -------------------------------------------------------------------------------------------------
package PgrstCluster::Session;

use strict;
use warnings;

# psql with pipes; the answer to one text ends with a line that it was told to print.
sub new {
    my ($class, @command) = @_;
    my $pid = IPC::Open3::open3(my $in, my $out, undef, map { $_ eq 'ON_ERROR_STOP=1' ? 'ON_ERROR_STOP=0' : $_ } @command);
    $in->autoflush(1);
    return bless {in => $in, out => $out, pid => $pid, count => 0}, $class;
}

# Sends SQL without waiting for its end.
sub send {
    my ($self, $sql) = @_;
    my $mark = 'end of text ' . ++$self->{count};
    print {$self->{in}} "$sql\n;\n\\echo $mark\n";
}

# The output of what was sent last.
sub finish {
    my ($self) = @_;
    my $mark = "end of text $self->{count}";
    my $output = '';
    while (1) {
        my $line = readline($self->{out});
        die "the session has ended: $output\n" if !defined $line;
        last if $line eq "$mark\n";
        $output .= $line;
    }
    chomp $output;
    die "$output\n" if $output =~ /^(?:psql:.*?)?(?:ERROR|FATAL): /m;
    return $output;
}

sub sql {
    my ($self, $sql) = @_;
    $self->send($sql);
    return $self->finish;
}

sub close {
    my ($self) = @_;
    return if !$self->{pid};
    close $self->{in};
    close $self->{out};
    waitpid delete $self->{pid}, 0;
}

sub DESTROY { local $?; $_[0]->close }

1;
