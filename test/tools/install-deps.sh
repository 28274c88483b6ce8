#!/usr/bin/env bash
# Installs the Debian packages that are missing, and nothing when all are there.
#
#   install-deps.sh              what building and running the extension needs
#   install-deps.sh test         that, and what the test suites need
#   install-deps.sh bench        that, and what the benchmarks need
#   install-deps.sh test bench   both
#
# Asks nothing. Needs root, or sudo without a password, only when something is missing.
#
# PG_CONFIG   says for which PostgreSQL. Without it: the one of the pg_config in the path, else the newest
#             server that is installed, else the newest that apt offers.
#
# Known to the script: Debian 12 (bookworm), 13 (trixie) and later.
set -euo pipefail

say() { printf '%s\n' "$*"; }
die() { printf 'install-deps: %s\n' "$*" >&2; exit 1; }

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

offered() {
  local candidate
  candidate=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')
  [ -n "$candidate" ] && [ "$candidate" != '(none)' ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

require_root() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null ||
    die "missing: $* - installing needs root, and there is no sudo here; run this as root"
  sudo -n true 2>/dev/null ||
    die "missing: $* - installing needs root; run this as root, or \"sudo -v\" first"
}

updated=
update_once() {
  [ -n "$updated" ] && return
  updated=yes
  say "refreshing the package lists"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 update ||
    say "the package lists could not be refreshed; going on with the old ones"
}

# Prints the major version of the PostgreSQL to build for. Prints nothing when PG_CONFIG names a server
# that did not come from Debian packages (it brings its own headers), or when none is here yet.
present_major() {
  local config bindir major server
  case ${PG_CONFIG:-} in
    /usr/lib/postgresql/*/bin/pg_config)
      major=${PG_CONFIG#/usr/lib/postgresql/}
      say "${major%/bin/pg_config}"
      return ;;
    ?*)
      command -v "$PG_CONFIG" >/dev/null || die "PG_CONFIG names \"$PG_CONFIG\", which is not there" ;;
  esac
  config=$(command -v "${PG_CONFIG:-pg_config}" || true)
  if [ -n "$config" ] && bindir=$("$config" --bindir 2>/dev/null); then
    case $bindir in
      /usr/lib/postgresql/*/bin)
        major=${bindir#/usr/lib/postgresql/}
        say "${major%/bin}" ;;
      *)
        # libpq alone also brings a pg_config, without a server behind it.
        if [ -x "$bindir/postgres" ]; then
          say own
        elif [ -z "${PG_CONFIG:-}" ]; then
          major=$("$config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
          say "$major"
        fi ;;
    esac
    return
  fi
  major=
  for server in /usr/lib/postgresql/*/bin/postgres; do
    [ -x "$server" ] || continue
    server=${server#/usr/lib/postgresql/}
    server=${server%%/*}
    if [ -z "$major" ] || [ "$server" -gt "$major" ]; then major=$server; fi
  done
  say "$major"
}

newest_offered_major() {
  local name
  apt-cache pkgnames postgresql-server-dev- |
    sed -n 's/^postgresql-server-dev-\([0-9][0-9]*\)$/\1/p' | sort -rn |
    while read -r name; do
      if offered "postgresql-server-dev-$name" && offered "postgresql-$name"; then
        say "$name"
        break
      fi
    done
}

# Debian's own choice of clang decides which sanitizer runtime belongs to it.
clang_major() {
  { dpkg-query -W -f '${Depends}\n' clang 2>/dev/null || LC_ALL=C apt-cache show clang 2>/dev/null; } |
    sed -n 's/.*\bclang-\([0-9][0-9]*\).*/\1/p' | sort -n | tail -n 1
}

# Installing a server normally creates and starts a cluster on port 5432. Nobody asked for that here,
# so it is switched off for the time of the installation.
no_cluster_file=/etc/postgresql-common/createcluster.d/postgrest-ext-install.conf
without_new_cluster() {
  as_root mkdir -p "${no_cluster_file%/*}"
  printf 'create_main_cluster = false\n' | as_root tee "$no_cluster_file" >/dev/null
  trap 'as_root rm -f "$no_cluster_file"' EXIT
  "$@"
  as_root rm -f "$no_cluster_file"
  trap - EXIT
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    install --no-install-recommends "$@"
}

want_test=
want_bench=
for arg in "$@"; do
  case $arg in
    test) want_test=yes ;;
    bench) want_bench=yes ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) die "unknown argument \"$arg\" (test, bench)" ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  die "this is not a Debian system; install a C++20 compiler, make, PostgreSQL with its server headers," \
    "libmicrohttpd, GnuTLS, OpenSSL, simdjson and curl yourself"
fi

packages=(build-essential libmicrohttpd-dev libgnutls28-dev libssl-dev libsimdjson-dev openssl curl ca-certificates)
[ -n "$want_bench" ] && packages+=(wrk)
if [ -n "$want_test" ]; then
  packages+=(libgtest-dev libgmock-dev clang clang-format clang-tidy libipc-run-perl libio-socket-ssl-perl python3
    python3-jsonschema python3-yaml openapi-specification python3-prometheus-client)
fi

major=$(present_major)
if [ -z "$major" ]; then
  require_root "a PostgreSQL server"
  update_once
  major=$(newest_offered_major)
  [ -n "$major" ] || die "apt offers no postgresql-server-dev package; check the package sources"
fi
if [ "$major" != own ]; then
  packages+=("postgresql-$major" "postgresql-server-dev-$major")
fi

missing=()
note_missing() {
  local package
  for package in "$@"; do installed "$package" || missing+=("$package"); done
}
note_missing "${packages[@]}"

if [ -n "$want_test" ]; then
  if [ -z "$(clang_major)" ]; then
    require_root "${missing[@]}"
    update_once
  fi
  runtime=$(clang_major)
  [ -z "$runtime" ] || note_missing "libclang-rt-$runtime-dev"
  # Brings the official schema of OpenAPI 3.1; not in every release.
  if offered python3-openapi-spec-validator; then note_missing python3-openapi-spec-validator; fi
fi

[ "${#missing[@]}" -gt 0 ] || exit 0

require_root "${missing[@]}"
update_once
unknown=()
for package in "${missing[@]}"; do offered "$package" || unknown+=("$package"); done
[ "${#unknown[@]}" -eq 0 ] || die "apt does not offer: ${unknown[*]}; check the package sources"

say "installing: ${missing[*]}"
new_server=
for package in "${missing[@]}"; do
  [[ $package =~ ^postgresql-[0-9]+$ ]] && new_server=yes
done
if [ -n "$new_server" ]; then
  # The file above must not be there before the package that owns its directory has been unpacked.
  installed postgresql-common || apt_install postgresql-common
  without_new_cluster apt_install "${missing[@]}"
else
  apt_install "${missing[@]}"
fi
say "installed: ${missing[*]}"
