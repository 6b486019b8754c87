#!/bin/sh
# Runs every test beside throw-away servers on free ports; safe beside `make run` and beside another run of itself.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    exec target/debug/songlist with-servers cargo nextest run --workspace --locked --no-fail-fast "$@"
fi
exec target/debug/songlist with-servers cargo test --workspace --locked --no-fail-fast "$@"
