#!/usr/bin/env bash
# The demo: installs what is missing, builds, creates a throw-away cluster as an unprivileged user, loads
# the demo plant and serves it over HTTP until Ctrl-C; then everything that was started is stopped and the
# cluster is removed. Asks nothing.
#
# What stays behind: the Debian packages and the installed extension, nothing else.
#
#   PG_CONFIG       which PostgreSQL (default: pg_config)
#   DEMO_PORT       port of the API on 127.0.0.1 (default: 3000)
#   DEMO_ADMIN_PORT port of the admin server there, with the API explorer (default: the next that is free)
#   DEMO_READINGS   number of sensor readings (default: 1000000)
#   DEMO_ONCE=1     start, check a few requests, stop: for tests; the exit status tells
#   TMPDIR          where the cluster goes (default: /tmp)
# Functions are also called by name, from traps and through interruptible().
# shellcheck disable=SC2317
set -euo pipefail

port=${DEMO_PORT:-3000}
admin_port=${DEMO_ADMIN_PORT:-}
readings=${DEMO_READINGS:-1000000}
once=${DEMO_ONCE:-}
base="http://127.0.0.1:$port"

# For the demo only: it is in the sources, so everybody knows it. The tokens below depend on nothing else.
secret='demo-only-secret-do-not-use-elsewhere'

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

dir=       # everything temporary
started=   # set while there may be a server to stop
starting=  # set while pg_ctl is about to bring it up
child=     # process group of the step that runs now
tool_log=  # output of make and initdb; not in $dir, which belongs to the other user
as_user=() # how to become the unprivileged user

# Settings of the caller must not redirect psql to another server, nor make's own reach the build.
for name in "${!PG@}"; do
  [ "$name" = PG_CONFIG ] || unset "$name"
done
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS
export LC_ALL=C.UTF-8 no_proxy=127.0.0.1

say() { printf '%s\n' "$*"; }
step() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
die() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

# -------------------------------------------------------------------------------------------------
# Stopping
# -------------------------------------------------------------------------------------------------

run() { "${as_user[@]}" "$@"; }

cleanup() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  # Somebody may have closed the other end of our output: that must not keep the server running.
  set +e
  if [ -n "$child" ]; then
    # Without its pg_ctl nobody would know whether a server is coming up.
    [ -n "$starting" ] || kill -TERM -- "-$child" 2>/dev/null
    wait "$child" 2>/dev/null
  fi
  if [ -n "$started" ]; then
    step "stopping the server" 2>/dev/null
    run "$bindir/pg_ctl" -D "$dir/data" -m fast -w -t 60 stop >/dev/null 2>&1 ||
      run "$bindir/pg_ctl" -D "$dir/data" -m immediate -w -t 30 stop >/dev/null 2>&1
    if run "$bindir/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; then
      printf 'demo: the server does not stop; its files stay in %s\n' "$dir" >&2
      exit 1
    fi
  fi
  if [ -n "$tool_log" ]; then rm -f -- "$tool_log"; fi
  if [ -n "$dir" ]; then
    cd /
    run rm -rf -- "$dir"
    step "removed $dir" 2>/dev/null
  fi
  exit "$status"
}

serving=
stop_requested() {
  [ -t 1 ] && printf '\n'
  # Ctrl-C is how a demo that is up normally ends.
  if [ -n "$serving" ]; then exit 0; fi
  exit "$1"
}

trap cleanup EXIT
trap 'stop_requested 130' INT
trap 'stop_requested 143' TERM
trap 'stop_requested 129' HUP

# Runs a long command so that a signal ends it, with all its children, at once. Bash handles a signal
# only after the command in the foreground is over; "wait" returns immediately. Job control gives the
# command its own process group. Never redirect the call itself: what the signal handler says would go
# there too.
interruptible() {
  local status=0
  set -m
  "$@" </dev/null &
  child=$!
  set +m
  wait "$child" || status=$?
  child=
  return "$status"
}

# -------------------------------------------------------------------------------------------------
# Steps
# -------------------------------------------------------------------------------------------------

port_in_use() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# check_port VARIABLE NUMBER EXAMPLE
check_port() {
  case $2 in
    '' | *[!0-9]*) die "$1 must be a port number, not \"$2\"" ;;
  esac
  if [ "$2" -lt 1 ] || [ "$2" -gt 65535 ]; then
    die "$1 must be between 1 and 65535, not $2"
  fi
  if [ "$2" -lt 1024 ]; then
    die "port $2 is reserved for root and the server does not run as root; set $1 to another one"
  fi
  if port_in_use "$2"; then
    die "port $2 of 127.0.0.1 is taken; stop what uses it, or choose another: $1=$3 make demo"
  fi
}

choose_admin_port() {
  admin_port=$((port < 65535 ? port + 1 : 1024))
  while port_in_use "$admin_port"; do admin_port=$((admin_port < 65535 ? admin_port + 1 : 1024)); done
}

check_arguments() {
  case $readings in
    '' | *[!0-9]*) die "DEMO_READINGS must be a whole number, not \"$readings\"" ;;
  esac
  check_port DEMO_PORT "$port" 3001
  if [ -z "$admin_port" ]; then choose_admin_port; fi
  check_port DEMO_ADMIN_PORT "$admin_port" 3002
  [ "$admin_port" -ne "$port" ] || die "DEMO_PORT and DEMO_ADMIN_PORT must differ"
}

# Finds the server's programs. Debian has them outside of the path.
find_postgresql() {
  local candidate
  if [ -z "${PG_CONFIG:-}" ]; then
    PG_CONFIG=$(command -v pg_config || true)
    if [ -z "$PG_CONFIG" ] || [ ! -x "$("$PG_CONFIG" --bindir)/initdb" ]; then
      for candidate in /usr/lib/postgresql/*/bin/pg_config; do
        if [ -x "${candidate%/*}/initdb" ]; then PG_CONFIG=$candidate; fi
      done
    fi
  fi
  command -v "$PG_CONFIG" >/dev/null || die "no pg_config found; set PG_CONFIG to that of your PostgreSQL"
  export PG_CONFIG
  bindir=$("$PG_CONFIG" --bindir)
  [ -x "$bindir/initdb" ] || die "no PostgreSQL server in $bindir; set PG_CONFIG to that of your PostgreSQL"
}

# make's output goes to a file; what is shown is how many files have been compiled.
build_and_count() {
  local total
  total=$(make -C "$top" -n all PG_CONFIG="$PG_CONFIG" 2>/dev/null | grep -c -- ' -c ' || true)
  make -C "$top" -j "$(nproc)" all PG_CONFIG="$PG_CONFIG" 2>&1 | tee "$tool_log" |
    awk -v total="$total" '/ -c / {
      n++
      if (n % 10 == 0 || n == total) { printf "    compiled %d of %d files\n", n, total; fflush() }
    }'
}

build() {
  step "building for $("$PG_CONFIG" --version)"
  if ! interruptible build_and_count; then
    tail -n 40 "$tool_log" >&2
    die "the build failed"
  fi
}

install_extension() {
  local libdir sharedir become=()
  libdir=$("$PG_CONFIG" --pkglibdir)
  sharedir=$("$PG_CONFIG" --sharedir)/extension
  step "installing the extension into $libdir"
  if [ ! -w "$libdir" ] || [ ! -w "$sharedir" ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      become=(sudo -n)
    else
      die "$libdir is not writable; run the demo as root, or \"sudo -v\" first," \
        "or set PG_CONFIG to a PostgreSQL of your own"
    fi
  fi
  if ! "${become[@]}" make -C "$top" install PG_CONFIG="$PG_CONFIG" >"$tool_log" 2>&1; then
    tail -n 40 "$tool_log" >&2
    die "installing failed"
  fi
}

# initdb and postgres refuse root: then the user is postgres, else who called sudo, else nobody.
choose_user() {
  local user
  [ "$(id -u)" -eq 0 ] || return 0
  user=nobody
  if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then user=$SUDO_USER; fi
  if id postgres >/dev/null 2>&1; then user=postgres; fi
  as_user=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --init-groups --)
}

# The directory holds the socket too, whose path is limited to 107 bytes. It is the user's alone (0700).
make_directory() {
  local parent=${TMPDIR:-/tmp}
  [ "${#parent}" -le 70 ] || parent=/tmp
  cd /
  dir=$(run mktemp -d "$parent/postgrest-demo.XXXXXX" 2>/dev/null) ||
    dir=$(run mktemp -d /tmp/postgrest-demo.XXXXXX) ||
    die "cannot create a directory in $parent"
  export HOME=$dir
  cd "$dir"
}

run_initdb() {
  run "$bindir/initdb" -D "$dir/data" -U postgres -A trust --no-sync --encoding=UTF8 --no-locale \
    >"$tool_log" 2>&1
}

# Nothing in this cluster is worth a flush to disk. It listens on a socket in its own directory only, so
# its port cannot collide with that of any other server.
create_cluster() {
  step "creating a throw-away cluster in $dir as user $(run id -un)"
  if ! interruptible run_initdb; then
    cat "$tool_log" >&2
    die "initdb failed"
  fi
  run tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF

# Demo
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = off
full_page_writes = off
max_wal_size = 2GB
max_worker_processes = 32
timezone = 'UTC'
log_timezone = 'UTC'

shared_preload_libraries = 'postgrest_ext'
pgrst.databases = 'demo'
pgrst.db_authenticator = 'demo_authenticator'
pgrst.db_schemas = 'api, reports'
pgrst.db_anon_role = 'demo_anon'
pgrst.db_aggregates_enabled = true
pgrst.db_plan_enabled = true
pgrst.db_tx_end = 'commit-allow-override'
pgrst.jwt_secret = '$secret'
pgrst.server_host = '127.0.0.1'
pgrst.server_port = $port
pgrst.admin_server_port = $admin_port
CONF
}

show_log() { run tail -n 30 "$dir/log" >&2 || true; }

run_pg_ctl_start() {
  run "$bindir/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >"$tool_log" 2>&1
}

start_server() {
  step "starting PostgreSQL"
  started=yes starting=yes
  if ! interruptible run_pg_ctl_start; then
    cat "$tool_log" >&2
    show_log
    die "PostgreSQL did not start"
  fi
  starting=
}

psql_demo() { run "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -h "$dir" -U postgres "$@"; }

# The user may not be able to read the source tree: psql gets the file from here.
load_schema() { psql_demo -d demo -v "readings=$readings" -f - <"$here/schema.sql"; }

load() {
  step "loading the demo database ($readings sensor readings)"
  psql_demo -d postgres -c 'CREATE DATABASE demo'
  interruptible load_schema || die "the demo database could not be loaded"
  psql_demo -d demo -c 'CREATE EXTENSION postgrest_ext' || {
    show_log
    die "the extension could not be created"
  }
}

server_runs() { run "$bindir/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; }

wait_for_http() {
  local deadline=$((SECONDS + 60))
  step "waiting for $base"
  until curl -fsS -m 5 -o /dev/null "$base/sites?limit=1" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ] || ! server_runs; then
      curl -sS -m 5 -i "$base/sites?limit=1" >&2 || true
      show_log
      die "nothing answers on port $port; above is the end of the server's log"
    fi
    sleep 0.2
  done
}

# -------------------------------------------------------------------------------------------------
# Tokens and what to try
# -------------------------------------------------------------------------------------------------

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# Prints a JSON Web Token (HS256) with the given claims.
token() {
  local signed signature
  signed=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url).$(printf '%s' "$1" | base64url)
  signature=$(printf '%s' "$signed" | openssl dgst -sha256 -hmac "$secret" -binary | base64url)
  printf '%s.%s' "$signed" "$signature"
}

make_tokens() {
  operator=$(token '{"role":"demo_operator","operator_id":7}')
  manager=$(token '{"role":"demo_manager"}')
}

check() {
  local what=$1 expected=$2 got
  shift 2
  got=$(curl -sS -m 20 "$@") || true
  if [ "$got" != "$expected" ]; then
    printf 'demo: %s\n  expected: %s\n  got:      %s\n' "$what" "$expected" "$got" >&2
    show_log
    exit 1
  fi
  say "    ok: $what"
}

self_check() {
  step "checking"
  check 'anonymous read' '[{"code":"ALD"}]' "$base/sites?select=code&order=id&limit=1"
  check 'no rights without a token' 401 -o /dev/null -w '%{http_code}' "$base/work_orders"
  check 'an operator sees own work orders only' '[]' -H "Authorization: Bearer $operator" \
    "$base/work_orders?select=id&assigned_to=neq.7&requested_by=neq.7"
  check 'the API explorer is there' 200 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$admin_port/docs"
  check 'a manager sees all work orders' '[{"id":1}]' -H "Authorization: Bearer $manager" \
    "$base/work_orders?select=id&order=id&limit=1"
}

print_tour() {
  cat <<TOUR

The plant is served on $base. To look around in a browser:

  http://127.0.0.1:$admin_port/docs

Try, in another terminal:

  curl '$base/sites'
  curl '$base/machines?select=name,status,rpm:specs->motor->rpm&kind=eq.oven&order=name'
  curl '$base/machines?select=name,notes&or=(status.eq.fault,search.wfts.vibration)&limit=5'
  curl '$base/sensors?select=id,kind,unit,normal_range&machine_id=eq.2'
  curl -i -H 'Range: 0-9' -H 'Prefer: count=exact' '$base/readings?sensor_id=eq.7&order=taken_at.desc'
  curl '$base/machines?select=status,count()'
  curl '$base/machine_directory?site=eq.Dunmore&limit=5'
  curl '$base/machines?select=name,lines(name,sites(code))&kind=eq.oven&limit=3'
  curl '$base/rpc/service_due?select=name&limit=3'
  curl -H 'Accept: image/svg+xml' '$base/rpc/machine_sign?machine_id=7'
  curl '$base/'
  curl -H 'Accept-Profile: reports' '$base/line_summary'

Without a token work orders are closed to you. Tokens of operator 7 and of a manager (the secret behind
them, "$secret", is for this demo only):

  OPERATOR='$operator'
  MANAGER='$manager'

  curl -i '$base/work_orders'
  curl -H "Authorization: Bearer \$OPERATOR" '$base/work_orders?status=eq.in_progress&select=id,title'
  curl -H "Authorization: Bearer \$MANAGER" -I -H 'Prefer: count=exact' '$base/work_orders'

SQL on the same database, and how a request becomes SQL:

  $sql_command
  select pgrst.to_sql('GET', '/machines?status=eq.fault&select=name');
  select * from pgrst.status;

Press Ctrl-C to stop; nothing of the database is kept.
TOUR
}

# -------------------------------------------------------------------------------------------------

check_arguments
step "looking for missing packages"
if command -v dpkg-query >/dev/null; then "$top/test/tools/install-deps.sh"; fi
find_postgresql
choose_user
make_directory

tool_log=$(mktemp)
build
install_extension
create_cluster
start_server
load
wait_for_http
make_tokens

if [ -n "$once" ] && [ "$once" != 0 ]; then
  self_check
  step "all well"
  exit 0
fi

sql_command="$bindir/psql -h $dir -U postgres demo"
if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ]; then sql_command="sudo $sql_command"; fi
print_tour
serving=yes
while server_runs; do
  sleep 1 &
  wait "$!" || true
done
show_log
die "the server stopped by itself; above is the end of its log"
