#!/bin/sh
# Runs a measurement of this folder beside a stack of its own: `run.sh race` or `run.sh overload`. It needs a release build and
# an otherwise idle machine.
set -eu
sh deploy/bench/install-tools.sh
# As on a server: with autogroups the priorities of threads count only within their session, see docs/performance.md.
autogroup=/proc/sys/kernel/sched_autogroup_enabled
if [ "$(cat $autogroup 2>/dev/null)" = 1 ] && echo 0 2>/dev/null > $autogroup; then
    echo "kernel.sched_autogroup_enabled is 0 until this ends"
    trap "echo 1 > $autogroup" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
fi
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)"
export PATH PYTHONDONTWRITEBYTECODE=1
script=$1; shift; python3 "deploy/bench/$script.py" "$@"
