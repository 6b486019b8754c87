#!/bin/sh
# Writes one CycloneDX document for each service to target/sbom/.
set -eu
target/tools/bin/cargo-cyclonedx cyclonedx --format json --spec-version 1.5 --quiet
rm -rf target/sbom
mkdir -p target/sbom
for service in services/*; do
    mv "$service/$(basename "$service").cdx.json" target/sbom/
done
find crates -name '*.cdx.json' -delete
ls -l target/sbom
