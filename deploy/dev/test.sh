#!/bin/sh
# Runs every test beside throw-away servers on free ports; safe beside `make run` and beside another run of itself.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    # Tests wait for mails and sockets more than they compute: half as many again as there are cores.
    threads=$(($(nproc) * 3 / 2))
    exec target/debug/songlist with-servers \
        cargo nextest run --workspace --locked --no-fail-fast --test-threads "$threads" "$@"
fi
exec target/debug/songlist with-servers cargo test --workspace --locked --no-fail-fast "$@"
