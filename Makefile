# The commands for daily work; each works on a fresh clone by itself.
.DEFAULT_GOAL := help
.PHONY: help run demo chaos test check deny advisories sbom lint-api docs proto-accept race measure-overload measure-auth bench-catalogue bench-import measure-webhooks measure-replicas interop attack clean

CARGO := cargo
SONGLIST := target/debug/songlist

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

run: ## Start everything on this machine: servers, five services, sandbox; Ctrl-C stops it
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked
	@exec $(SONGLIST) dev

demo: ## Play the journey against what `make run` runs
	@$(SONGLIST) demo

chaos: ## Play it again and again while `make run`'s services are killed one by one and Redis is flushed
	@$(SONGLIST) chaos

test: ## Run every test, beside throw-away servers
	@sh deploy/dev/install-servers.sh
	@sh deploy/dev/install-moto.sh
	$(CARGO) build --workspace --locked --all-targets
	@sh deploy/dev/test.sh

check: deny ## Run what CI runs: licences and sources of dependencies, format, clippy, tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@$(MAKE) --no-print-directory test

deny: ## Check licences, sources and duplicates of all dependencies
	@sh deploy/dev/install-cargo-tool.sh cargo-deny 0.20.2
	@target/tools/bin/cargo-deny --locked --log-level warn check --hide-inclusion-graph licenses bans sources

advisories: ## Check dependencies against the RustSec database, which is fetched from GitHub
	@sh deploy/dev/install-cargo-tool.sh cargo-deny 0.20.2
	@target/tools/bin/cargo-deny --locked check advisories

sbom: ## Write a CycloneDX bill of materials of each service to target/sbom/
	@sh deploy/dev/install-cargo-tool.sh cargo-cyclonedx 0.5.9
	@sh deploy/dev/sbom.sh

lint-api: ## Lint the OpenAPI document and try a TypeScript client that is generated from it (needs Node.js)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked
	@sh deploy/api/check.sh

docs: ## Write the generated files again: .env.example, docs/permissions.md, docs/errors.md, docs/findings.md, docs/security-checklist.md, docs/payments-cases.md
	$(CARGO) build --workspace --locked
	$(SONGLIST) env-example > .env.example
	$(SONGLIST) permissions > docs/permissions.md
	$(SONGLIST) errors > docs/errors.md
	@python3 deploy/dev/findings.py
	@python3 deploy/dev/security_checklist.py
	@python3 deploy/dev/payments_cases.py

proto-accept: ## Write the protos as they are now to proto/descriptor.lock; check the lines that are removed
	$(CARGO) build --workspace --locked
	$(SONGLIST) descriptors > proto/descriptor.lock

race: ## Measure the tenant-songs page beside Django's and beside pgbench (release build; RACE_MILLION=1: beside a huge tenant)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh race

measure-overload: ## Measure what is answered when ten times as much is asked as can be served (release build)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh overload

attack: ## Let three attackers do their worst while other tenants read, sign in and pay (release build, 6 minutes)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh attack

measure-auth: ## Print whether the time of an answer tells if an account exists (release build, 10 minutes)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh auth

bench-catalogue: ## Print how long pages and searches take with up to a million songs (release build, 30 minutes)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh catalogue

bench-import: ## Print how fast files are imported into an empty database, and what others notice (release build, 5 minutes)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh imports

measure-webhooks: ## Print how fast 500 webhooks a second are acknowledged, beside forged ones (release build, 5 minutes)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh webhooks

measure-replicas: ## Print what clients notice while replicas are restarted, frozen, killed and added (release build, 10 minutes)
	@sh deploy/dev/install-servers.sh
	$(CARGO) build --workspace --locked --release
	@sh deploy/bench/run.sh replicas

interop: ## Let Razorpay's clients from PyPI and npm work with the sandbox (needs Node)
	$(CARGO) build --workspace --locked
	@python3 crates/dev/devstack/tests/interop/run.py target/debug/sandbox

clean: ## Delete builds and the development stack
	$(CARGO) clean
	rm -rf .dev
