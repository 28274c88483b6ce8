# Shell functions that the test runners share; sourced, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables are for the scripts that source this

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Settings of the caller must not redirect the tests to another server. Those of the tests begin with PGRST_.
forget_libpq_settings() {
  local name
  for name in "${!PG@}"; do
    case $name in
      PG_CONFIG | PGRST_*) ;;
      *) unset "$name" ;;
    esac
  done
  export LC_ALL=C.UTF-8
}

# Sets PG_CONFIG, bindir, pkglibdir, extension_dir and pgxs_dir. Debian has the server's programs outside of
# the path.
find_postgresql() {
  local candidate
  PG_CONFIG=$(command -v "${PG_CONFIG:-pg_config}" || true)
  if [ -z "$PG_CONFIG" ] || [ ! -x "$("$PG_CONFIG" --bindir)/initdb" ]; then
    for candidate in /usr/lib/postgresql/*/bin/pg_config; do
      if [ -x "${candidate%/*}/initdb" ]; then PG_CONFIG=$candidate; fi
    done
  fi
  [ -n "$PG_CONFIG" ] || die "no pg_config found; set PG_CONFIG to that of your PostgreSQL"
  export PG_CONFIG
  bindir=$("$PG_CONFIG" --bindir)
  [ -x "$bindir/initdb" ] || die "no PostgreSQL server in $bindir; set PG_CONFIG to that of your PostgreSQL"
  pkglibdir=$("$PG_CONFIG" --pkglibdir)
  extension_dir=$("$PG_CONFIG" --sharedir)/extension
  pgxs_dir=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
}

require_installed_extension() {
  if [ ! -e "$pkglibdir/postgrest_ext.so" ] || [ ! -e "$extension_dir/postgrest_ext.control" ]; then
    die "the extension is not installed in $pkglibdir; \"make install\" first"
  fi
  if [ -e "$top/postgrest_ext.so" ] && ! cmp -s "$top/postgrest_ext.so" "$pkglibdir/postgrest_ext.so"; then
    say "note: the installed extension is not the one that was built here last; \"make install\" changes that"
  fi
}

# initdb and postgres refuse root: then the user is postgres, else who called sudo, else nobody.
# `run` runs a command as that user.
as_user=()
choose_user() {
  local user=nobody
  [ "$(id -u)" -eq 0 ] || return 0
  if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then user=$SUDO_USER; fi
  if id postgres >/dev/null 2>&1; then user=postgres; fi
  as_user=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --init-groups --)
}
run() { "${as_user[@]}" "$@"; }

# Sets work: a directory of that user, which may hold a socket (its path is limited to 107 bytes).
make_work_directory() {
  local parent=${TMPDIR:-/tmp}
  [ "${#parent}" -le 60 ] || parent=/tmp
  cd / || exit 1
  work=$(run mktemp -d "$parent/postgrest-test.XXXXXX" 2>/dev/null) ||
    work=$(run mktemp -d /tmp/postgrest-test.XXXXXX) ||
    die "cannot create a directory in $parent"
  export HOME=$work
  cd "$work" || die "cannot enter $work"
}

# The checkout may be in a place that the user cannot enter: files go through a pipe.
copy_to_work() {
  (cd "$top" && tar -cf - "$@") | run tar -xf - -C "$work" --no-same-owner --no-same-permissions
}
