#!/bin/sh
# Installs moto from PyPI into target/moto, unless it is there: the S3-compatible store of the tests.
set -eu
version=5.2.5
stamp="target/moto/$version"
[ -e "$stamp" ] && exit 0
have() { python3 -c 'import ensurepip' 2>/dev/null; }
have || { [ "$(id -u)" = 0 ] && apt-get update >/dev/null 2>&1 && apt-get install -y --no-install-recommends python3-venv >/dev/null 2>&1; } || true
have || {
    echo "missing: python3 with ensurepip; please install the package python3-venv" >&2
    exit 1
}
rm -rf target/moto
# Not moto[server]: it brings the libraries of all services of AWS, 300 MB.
python3 -m venv target/moto
target/moto/bin/pip install --quiet --disable-pip-version-check "moto[s3]==$version" flask==3.1.3 flask-cors==6.0.2
touch "$stamp"
