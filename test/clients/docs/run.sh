#!/usr/bin/env bash
# Looks at the API explorer of the demo (/docs of its admin server) with a browser: test/clients/docs/run.sh
#
# Starts the demo by itself and stops it. Needs node, Chromium (Debian: apt-get install chromium), and npm's registry the
# first time; what comes from there is kept in build/clients/docs, and so are pictures of the page. Installs the
# extension, as the demo does. Not part of `make check`.
#
#   DEMO_PORT         port of the demo (default: 3941)
#   DEMO_ADMIN_PORT   port of its admin server (default: 3942)
#   CHROMIUM          the browser (default: the one in the path)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
work=$top/build/clients/docs
export DEMO_PORT=${DEMO_PORT:-3941} DEMO_ADMIN_PORT=${DEMO_ADMIN_PORT:-3942} DEMO_READINGS=1000 no_proxy=127.0.0.1
# shellcheck source=test/clients/lib.sh
. "$top/test/clients/lib.sh"

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$CHROMIUM" ] || { echo "docs: there is no chromium; set CHROMIUM to one" >&2; exit 1; }
export CHROMIUM

mkdir -p "$work"
cp "$here/package.json" "$here/page.mjs" "$here/explorer.test.mjs" "$here/accessibility.test.mjs" "$work/"
cd "$work"
say "the packages"
npm install --no-audit --no-fund --no-package-lock --loglevel=error
say "the demo"
start_demo
MANAGER=$(token_of MANAGER)
export MANAGER
say "the browser"
node --test explorer.test.mjs accessibility.test.mjs
say "all well; pictures are in $work"
