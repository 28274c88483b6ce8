#!/usr/bin/env bash
# Everything that decides whether a change is good: `make check`.
#
# Installs the packages that are missing, builds with warnings as errors, installs the extension, and runs
# the tiers one after the other, whatever becomes of one of them. The last line is "N passed, N failed"; the
# same line is in build/check/summary. As root, or as a user with sudo, or as one who may write to
# PostgreSQL's directories.
#
#   FUZZ_SECONDS   for each fuzz target (default: 10)
#   TIERS          some of: format tidy build unit regress e2e fuzz (default: all)
#
# The functions tier_* are called by name.
# shellcheck disable=SC2317
set -uo pipefail
# shellcheck source=test/tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS
export FUZZ_SECONDS=${FUZZ_SECONDS:-10}
tiers=${TIERS:-format tidy build unit regress e2e fuzz}
logs=$top/build/check
cd "$top" || exit 1
rm -rf -- "$logs"
mkdir -p "$logs" || die "cannot write to $logs"

total_passed=0 total_failed=0
summary=()

make_quietly() { make --no-print-directory -C "$top" -j "$(nproc)" "$@"; }

# -- the tiers: each leaves its counts in `passed` and `failed` -------------------------------------

# $1: did the command succeed? A tier that failed has at least one failure.
settle() {
  if [ "$1" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
}

count_lines() { grep -cE -- "$1" "$2" || true; }

tier_format() {
  make_quietly format-check 2>&1 | tee "$1"
  local status=${PIPESTATUS[0]}
  if [ "$status" -eq 0 ] && ! grep -q '^skipped: ' "$1"; then passed=1; fi
  settle "$status"
}

tier_tidy() {
  make_quietly -k tidy >"$1" 2>&1
  local status=$?
  if [ "$status" -ne 0 ]; then
    grep -E 'error: ' "$1" | sort -u
  elif ! grep '^skipped: ' "$1"; then
    passed=1
  fi
  settle "$status"
}

build_and_install() {
  make_quietly WERROR=1 all || return 1
  find_postgresql
  if [ -w "$pkglibdir" ] && [ -w "$extension_dir" ]; then
    make_quietly -s install
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n make -s --no-print-directory -C "$top" install PG_CONFIG="$PG_CONFIG"
  else
    die "$pkglibdir is not writable: run this as root, or \"sudo -v\" first, or set PG_CONFIG to a" \
      "PostgreSQL of your own"
  fi
}

tier_build() {
  (build_and_install) >"$1" 2>&1
  local status=$?
  if [ "$status" -eq 0 ]; then passed=1; else tail -n 60 "$1"; fi
  built=$((status == 0))
  settle "$status"
}

tier_unit() {
  if ! make_quietly unit-build >"$1" 2>&1; then
    tail -n 60 "$1"
    failed=1
    return
  fi
  make_quietly unit 2>&1 | tee "$1"
  local status=${PIPESTATUS[0]}
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) tests\{0,1\}\..*/\1/p' "$1" | tail -n 1)
  passed=${passed:-0}
  failed=$(count_lines '^\[  FAILED  \] .* \([0-9]+ ms\)$' "$1")
  settle "$status"
}

# PostgreSQL up to 15 says "test name ... ok", later ones speak TAP.
tier_regress() {
  if ! needs_build; then return; fi
  make_quietly -s regress 2>&1 | tee "$1"
  local status=${PIPESTATUS[0]}
  passed=$(count_lines '^(test +)?.* \.\.\. ok +[0-9]+ ms$|^ok [0-9]+ ' "$1")
  failed=$(count_lines '^(test +)?.* \.\.\. FAILED( .*)?$|^not ok [0-9]+ ' "$1")
  settle "$status"
}

# prove's output tells no counts of what passed; the TAP does. A file that died, or that ran another number
# of tests than planned, is one failure more.
tier_e2e() {
  if ! needs_build; then return; fi
  E2E_TAP_DIR=$logs/tap make_quietly -s e2e 2>&1 | tee "$1"
  local status=${PIPESTATUS[0]}
  if [ -d "$logs/tap" ]; then
    find "$logs/tap" -type f -exec cat {} + >"$logs/tap.all"
    passed=$(grep -E '^ok |^not ok .*# *TODO' "$logs/tap.all" | grep -civE '# *skip' || true)
    failed=$(grep -E '^not ok ' "$logs/tap.all" | grep -civE '# *todo' || true)
  fi
  failed=$((failed + $(count_lines '\(Wstat: .*Tests: [0-9]+ Failed: 0\)$' "$1")))
  settle "$status"
}

tier_fuzz() {
  if ! make_quietly fuzz-build >"$1" 2>&1; then
    tail -n 60 "$1"
    failed=1
    return
  fi
  make_quietly -s fuzz 2>&1 | tee "$1"
  local status=${PIPESTATUS[0]}
  passed=$(count_lines '^fuzz ok: ' "$1")
  failed=$(count_lines '^fuzz FAILED: ' "$1")
  settle "$status"
}

built=1
needs_build() {
  [ "$built" -eq 1 ] && return
  say "not run, because the build failed"
  failed=1
  return 1
}

# --------------------------------------------------------------------------------------------------

run_tier() {
  local name=$1 start=$SECONDS
  passed=0 failed=0
  printf '\n== %s\n' "$name"
  "tier_$name" "$logs/$name.log"
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
  summary+=("$(printf '%-8s %5d passed %5d failed %5d s' "$name" "$passed" "$failed" $((SECONDS - start)))")
}

finish() {
  printf '\n'
  if [ "${#summary[@]}" -gt 0 ]; then printf '%s\n' "${summary[@]}"; fi
  printf '%d passed, %d failed\n' "$total_passed" "$total_failed" | tee "$logs/summary"
  [ "$total_failed" -eq 0 ]
  exit
}

if command -v dpkg-query >/dev/null && ! test/tools/install-deps.sh test; then
  total_failed=1
  finish
fi
for tier in $tiers; do
  declare -F "tier_$tier" >/dev/null || die "there is no tier \"$tier\""
  run_tier "$tier"
done
finish
