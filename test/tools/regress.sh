#!/usr/bin/env bash
# Runs pg_regress on a temporary instance with the installed extension.
#
#   regress.sh [test ...]     sql/<test>.sql and expected/<test>.out; without names: nothing to do
#
# Works as root too: the instance then belongs to an unprivileged user. What the tests gave goes to
# build/regress.
set -euo pipefail
# shellcheck source=test/tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ $# -eq 0 ]; then
  say "no regression tests"
  exit 0
fi

forget_libpq_settings
find_postgresql
require_installed_extension
pg_regress=$pgxs_dir/src/test/regress/pg_regress
[ -x "$pg_regress" ] || die "there is no pg_regress in $pgxs_dir"
choose_user
make_work_directory
trap 'cd /; run rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

copy_to_work sql expected test/fixtures/json_writer build/json_writer_test.so
export JSON_WRITER_TEST=$work/build/json_writer_test JSON_WRITER_SCRIPTS=$work/test/fixtures/json_writer
run tee "$work/regress.conf" >/dev/null <<'CONF'
shared_preload_libraries = 'postgrest_ext'
fsync = off
full_page_writes = off
max_worker_processes = 32
timezone = 'UTC'
log_timezone = 'UTC'
CONF

status=0
run "$pg_regress" --temp-instance="$work/instance" --temp-config="$work/regress.conf" \
  --no-locale --encoding=UTF8 --bindir="$bindir" --inputdir="$work" --outputdir="$work" \
  "$@" || status=$?

out=$top/build/regress
rm -rf -- "$out"
mkdir -p "$out"
for file in results log regression.diffs regression.out; do
  if [ -e "$work/$file" ]; then cp -R --no-preserve=ownership -- "$work/$file" "$out/"; fi
done
if [ "$status" -ne 0 ]; then
  if [ -s "$out/regression.diffs" ]; then
    cat "$out/regression.diffs"
  elif [ -e "$out/log/postmaster.log" ]; then
    say "the end of the server's log:"
    tail -n 30 "$out/log/postmaster.log"
  fi
fi
exit "$status"
