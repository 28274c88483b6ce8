# shellcheck shell=bash disable=SC2154
# Starts and stops the demo for the scripts in the directories beside.
# Sourced with `top` (the project) and `work` (where its log goes) set.

say() { printf '== %s\n' "$*"; }

demo=
stop_demo() {
  [ -z "$demo" ] || { kill -TERM "$demo" 2>/dev/null && wait "$demo"; } || true
}
trap stop_demo EXIT

start_demo() {
  : >"$work/demo.log"
  "$top/test/demo/demo.sh" >"$work/demo.log" 2>&1 &
  demo=$!
  until grep -q '^Press Ctrl-C' "$work/demo.log"; do
    kill -0 "$demo" 2>/dev/null || { cat "$work/demo.log" >&2; exit 1; }
    sleep 0.5
  done
}

# A token that the demo has printed: MANAGER, ...
token_of() { sed -n "s/^ *$1='\(.*\)'$/\1/p" "$work/demo.log"; }
