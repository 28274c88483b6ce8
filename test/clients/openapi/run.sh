#!/usr/bin/env bash
# Generates a TypeScript client from the OpenAPI 3.1 document of the demo, compiles it together with program.ts, and
# runs that against the demo: test/clients/openapi/run.sh
#
# Starts the demo by itself and stops it. Needs node, and npm's registry the first time; what comes from there is kept
# in build/clients/openapi. Installs the extension, as the demo does. Not part of `make check`.
#
#   DEMO_PORT   port of the demo (default: 3931)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
work=$top/build/clients/openapi
export DEMO_PORT=${DEMO_PORT:-3931} DEMO_READINGS=1000 no_proxy=127.0.0.1
base=http://127.0.0.1:$DEMO_PORT
# shellcheck source=test/clients/lib.sh
. "$top/test/clients/lib.sh"

mkdir -p "$work"
cp "$here/package.json" "$here/program.ts" "$work/"
cd "$work"
say "the generators"
npm install --no-audit --no-fund --no-package-lock --loglevel=error
say "the demo"
start_demo
manager=$(token_of MANAGER)

say "the document"
curl -fsS -H "Authorization: Bearer $manager" -H 'Accept: application/openapi+json; version=3.1' "$base/" >api.json
faults=$(python3 "$top/test/tools/openapi31_faults.py" <api.json)
[ -z "$faults" ] || { printf '%s\n' "$faults" >&2; exit 1; }

say "@hey-api/openapi-ts"
rm -rf api out
npx openapi-ts -i api.json -o api --silent
npx tsc --strict --target es2022 --module node16 --moduleResolution node16 --esModuleInterop --types node \
  --outDir out program.ts
node out/program.js "$base" "$manager"

say "openapi-typescript"
npx openapi-typescript api.json -o types.ts >/dev/null
npx tsc --strict --noEmit types.ts
say "all well"
