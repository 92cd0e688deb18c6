# The only command surface of this project: `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build test test-rust test-ts gen gen-check measure revocation-campaign fmt lint deny advisories proto-breaking tools clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Run the server with development defaults
	cargo run --locked

build: ## Build the release binary
	cargo build --release --locked

test: test-rust test-ts ## Run every test, beside a PostgreSQL that starts and ends with them

test-rust: tools ## Run the service's tests alone
	tests/with-postgres cargo test --workspace --locked

test-ts: client-ts/node_modules ## Run the TypeScript client's tests alone, against the service and in a real browser
	@{ [ -x "$${CHROMIUM:-/usr/bin/chromium}" ] && ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; } || \
	tests/apt-install chromium faketime || \
	{ echo "the tests need Chromium and libfaketime. Debian, Ubuntu: sudo apt-get install chromium faketime" >&2; exit 1; }
	cargo build --locked
	cd client-ts && npm run build && npm test && npm run size && npm run package

gen: tools client-ts/node_modules ## Generate the TypeScript client's messages from proto/
	.tools/bin/buf generate

gen-check: tools client-ts/node_modules ## Check that what is generated is what proto/ says
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && \
	.tools/bin/buf generate --output "$$out" && diff -r "$$out/client-ts/src/gen" client-ts/src/gen

client-ts/node_modules: client-ts/package-lock.json
	cd client-ts && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

measure: ## Build the release binary and print its size, memory and start-up time (Linux)
	@tests/measure

revocation-campaign: ## Measure 20,000 revocations on two nodes, 20,000 races and 2,000 listeners; may take half an hour
	tests/with-postgres cargo test --locked --test it -- --ignored --nocapture --test-threads=1 campaign:: crowd::

fmt: tools ## Format Rust and Protobuf in place
	cargo fmt --all
	.tools/bin/buf format -w --exclude-path proto/google

lint: tools deny proto-breaking gen-check ## Check format, lints, dependencies and compatibility, changing nothing
	cargo fmt --all --check
	.tools/bin/buf lint
	.tools/bin/buf format -d --exit-code --exclude-path proto/google
	cargo clippy --workspace --all-targets --locked -- -D warnings

deny: tools ## Check licences, bans and sources of the dependencies
	.tools/bin/cargo-deny --locked check bans licenses sources

advisories: tools ## Check the dependencies against the advisory database, which is fetched
	.tools/bin/cargo-deny --locked check advisories

# Held against the last release; before there is one, against the commit before this.
proto-breaking: tools ## Check that proto/ breaks no client of the last release
	@base=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || git rev-parse --quiet --verify HEAD~1 || echo none); \
	if git cat-file -e "$$base:buf.yaml" 2>/dev/null; then \
		echo "proto-breaking: comparing with $$base"; \
		.tools/bin/buf breaking --against ".git#ref=$$base"; \
	else \
		echo "proto-breaking: there is no earlier proto/ to compare with"; \
	fi

tools: ## Install what lint and tests call into .tools/
	@tests/tools

clean: ## Remove what was built and installed here
	rm -rf target .tools client-ts/node_modules client-ts/dist client-ts/build
