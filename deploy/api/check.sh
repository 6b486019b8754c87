#!/bin/sh
# Lints the OpenAPI document with the recommended rules of Redocly and Spectral, generates a TypeScript client from it, compiles
# that with the strictest settings and plays it against a stack of its own. It needs Node.js 20 and a debug build.
set -eu
command -v npm >/dev/null || { echo "Missing: npm. Please install Node.js 20." >&2; exit 1; }
here=deploy/api
work=target/api
mkdir -p "$work"
cp "$here/package.json" "$here/package-lock.json" "$here/redocly.yaml" "$here/.spectral.yaml" "$here/tsconfig.json" "$here/client.ts" "$work/"
(cd "$work" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
target/debug/songlist openapi > "$work/openapi.json"
root=$PWD
cd "$work"
npx redocly lint openapi.json --config redocly.yaml
npx spectral lint openapi.json --ruleset .spectral.yaml --fail-severity=warn
npx openapi-typescript openapi.json --output schema.d.ts
npx tsc
rm -rf "dev"
cd "$root"
target/debug/songlist dev --dev-dir "$work/dev" > "$work/dev.log" 2>&1 &
stack=$!
trap 'kill -INT $stack 2>/dev/null; wait $stack 2>/dev/null || true' EXIT INT TERM
waited=0
until [ -f "$work/dev/demo.json" ]; do
    waited=$((waited + 1))
    if [ $waited -gt 600 ] || ! kill -0 $stack 2>/dev/null; then cat "$work/dev.log"; exit 1; fi
    sleep 0.1
done
node "$work/out/client.js" "$work/dev/demo.json"
