#!/bin/sh
# Runs a measurement of this folder beside a stack of its own: `run.sh race` or `run.sh overload`. It needs a release build and
# an otherwise idle machine.
set -eu
sh deploy/bench/install-tools.sh

# Gives a setting of the kernel another value until this script ends, where that is allowed.
restore=:
set_kernel() {
    file=/proc/sys/$1
    before=$(cat "$file" 2>/dev/null) || return 0
    [ "$before" != "$2" ] && echo "$2" 2>/dev/null > "$file" || return 0
    echo "$1 is $(cat "$file") until this ends"
    restore="$restore; echo $before > $file"
    trap "$restore" EXIT
}
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# As on a server: with autogroups the priorities of threads count only within their session, see docs/performance.md.
set_kernel kernel/sched_autogroup_enabled 0
# As docs/scaling.md says: enough for the 2 GB of shared buffers that `songlist dev` gives PostgreSQL, which takes them when there are any.
if [ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -gt 8000000 ] && [ "$(cat /proc/sys/vm/nr_hugepages)" -lt 1150 ]; then
    set_kernel vm/nr_hugepages 1150
fi

PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)"
export PATH PYTHONDONTWRITEBYTECODE=1
script=$1; shift; python3 "deploy/bench/$script.py" "$@"
