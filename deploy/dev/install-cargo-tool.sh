#!/bin/sh
# Installs a program of crates.io into target/tools, unless it is there: `install-cargo-tool.sh cargo-deny 0.20.2`.
set -eu
tool=$1
version=$2
if grep -qs "^\"$tool $version " target/tools/.crates.toml; then exit 0; fi
# A debug build is enough, and five times faster to make.
CARGO_TARGET_DIR=target/tools/build cargo install "$tool" --version "$version" --locked --debug --quiet --force --root target/tools
rm -rf target/tools/build
