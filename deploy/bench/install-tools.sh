#!/bin/sh
# Makes sure that the programs that measure are installed: load generators, and Python's venv for the Django project.
set -eu
have() { command -v wrk >/dev/null 2>&1 && command -v hey >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null; }
have || { [ "$(id -u)" = 0 ] && apt-get install -y wrk hey python3-venv >/dev/null 2>&1; } || true
have || {
    echo "missing: wrk, hey or python3's ensurepip; install the packages wrk, hey and python3-venv" >&2
    exit 1
}
