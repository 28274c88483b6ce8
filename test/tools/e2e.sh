#!/usr/bin/env bash
# Runs the end-to-end tests with prove.
#
#   e2e.sh [file ...]     test/t/*.pl; without names: nothing to do
#
# E2E_JOBS files run at a time (default 2): they wait most of the time, and share nothing.
# The tests see PostgreSQL's Perl modules, PG_CONFIG and the server's programs in the path. They give up root
# by themselves. E2E_TAP_DIR: where to leave their TAP.
set -euo pipefail
# shellcheck source=test/tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ $# -eq 0 ]; then
  say "no end-to-end tests"
  exit 0
fi

forget_libpq_settings
find_postgresql
require_installed_extension
command -v prove >/dev/null || die "there is no prove; install perl"
[ -e "$pgxs_dir/src/test/perl/PostgreSQL/Test/Cluster.pm" ] ||
  die "there are no Perl modules for tests in $pgxs_dir/src/test/perl"
export PG_REGRESS=$pgxs_dir/src/test/regress/pg_regress
export PATH=$bindir:$PATH
if [ -n "${E2E_TAP_DIR:-}" ]; then
  rm -rf -- "$E2E_TAP_DIR"
  mkdir -p "$E2E_TAP_DIR"
  export PERL_TEST_HARNESS_DUMP_TAP=$E2E_TAP_DIR
fi
cd "$top"
prove --jobs "${E2E_JOBS:-2}" --timer -I "$pgxs_dir/src/test/perl" -I test/t "$@"
