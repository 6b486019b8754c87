#!/bin/sh
# Runs a measurement of this folder beside a stack of its own: `run.sh race` or `run.sh overload`. It needs a release build and
# an otherwise idle machine.
set -eu
sh deploy/bench/install-tools.sh
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)"
export PATH PYTHONDONTWRITEBYTECODE=1
exec python3 "deploy/bench/$1.py"
