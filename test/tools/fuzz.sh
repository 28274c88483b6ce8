#!/usr/bin/env bash
# Runs fuzz targets, as many at a time as there are processors, and prints one line each.
#
#   fuzz.sh <directory of the programs> <seconds> <target> ...
#
# Starts from test/fuzz/corpus/<target>; new inputs go to <directory>/corpus, what fails to
# <directory>/found and into the output.
set -euo pipefail
# shellcheck source=test/tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$top"

fuzz_one() {
  local dir=$1 seconds=$2 target=$3
  local corpus=$dir/corpus/$target found=$dir/found/$target log=$dir/$target.log runs
  mkdir -p "$corpus" "$found" "test/fuzz/corpus/$target"
  if "$dir/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$found/" -print_final_stats=1 "$corpus" "test/fuzz/corpus/$target" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf 'fuzz ok: %s, %s runs\n' "$target" "$runs"
  else
    printf 'fuzz FAILED: %s\n%s\n' "$target" "$(tail -n 60 "$log")"
    return 1
  fi
}

if [ "${1:-}" = --one ]; then
  shift
  fuzz_one "$@"
  exit
fi

dir=$1 seconds=$2
shift 2
[ $# -gt 0 ] || exit 0
status=0
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "$0" --one "$dir" "$seconds" || status=1
exit "$status"
