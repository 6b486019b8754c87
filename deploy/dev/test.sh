#!/bin/sh
# Runs every test beside throw-away servers on free ports; may run at the same time as `make run` or another test run.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    # Tests wait for mails and sockets more than they compute, so there are 1.5 threads per core.
    threads=$(($(nproc) * 3 / 2))
    exec target/debug/songlist with-servers \
        cargo nextest run --workspace --locked --no-fail-fast --test-threads "$threads" "$@"
fi
exec target/debug/songlist with-servers cargo test --workspace --locked --no-fail-fast "$@"
