# The only command surface of this project: `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# What is documented is a command; all else is a file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Run the server with development defaults
	cargo run --locked

demo: examples/nextjs/.next/BUILD_ID ## Run the server and the Next.js app before it, ready to click
	cargo build --locked
	@trap 'kill $$(jobs -p) 2>/dev/null || true' EXIT; \
	COUNTERSIGN_SERVER__BEHIND_PROXY=true COUNTERSIGN_SERVER__TRUSTED_PROXIES=127.0.0.0/8,::1/128 target/debug/countersign serve & \
	(cd examples/nextjs && exec node_modules/.bin/next start) & \
	echo "demo: open http://localhost:3000"; wait -n

build: ## Build target/release/countersign
	cargo build --release --locked

release: ## Build what is released, target/released/countersign, by a profile of what runs (Linux; a quarter of an hour)
	@command -v curl >/dev/null || tests/apt-install curl || \
	{ echo "what finds out what runs needs curl. Debian, Ubuntu: sudo apt-get install curl" >&2; exit 1; }
	@tests/with-postgres tests/release

test: test-rust test-gateways test-ts test-next test-simulate ## Run every test, beside a PostgreSQL that starts and ends with them

test-rust: tools ## Run the service's tests alone
	tests/with-postgres cargo test --workspace --locked

test-gateways: tools ## Run the tests with nginx, Caddy and Envoy alone
	@{ command -v nginx && command -v caddy; } >/dev/null 2>&1 || tests/apt-install nginx-light caddy || \
	{ echo "the tests need nginx and Caddy. Debian, Ubuntu: sudo apt-get install nginx-light caddy" >&2; exit 1; }
	@[ -x .tools/bin/envoy ] || { echo "the tests need Envoy, which is not packaged for this system: put it on the PATH" >&2; exit 1; }
	cargo test --locked --test it -- --ignored gateways::

test-ts: client-ts/node_modules ## Run the TypeScript client's tests alone, against the service, in a real browser and in Node.js 20 and 24
	@{ [ -x "$${CHROMIUM:-/usr/bin/chromium}" ] && ls /usr/lib/*/faketime/libfaketimeMT.so.1 && command -v openssl; } >/dev/null 2>&1 || \
	tests/apt-install chromium faketime openssl || \
	{ echo "the tests need Chromium, libfaketime and openssl. Debian, Ubuntu: sudo apt-get install chromium faketime openssl" >&2; exit 1; }
	cargo build --locked
	cd client-ts && npm run build && npm test && npm run size && npm run package

test-next: tools examples/nextjs/.next/BUILD_ID ## Run the Next.js app's tests alone, against the service and in a real browser
	@{ [ -x "$${CHROMIUM:-/usr/bin/chromium}" ] && ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1; } || \
	tests/apt-install chromium faketime || \
	{ echo "the tests need Chromium and libfaketime. Debian, Ubuntu: sudo apt-get install chromium faketime" >&2; exit 1; }
	cargo build --locked
	cd examples/nextjs && npm test && npm run size

test-simulate: ## Run the tests of the simulation alone
	python3 tests/simulate/tests.py

gen: tools client-ts/node_modules ## Generate the TypeScript client's messages from proto/
	.tools/bin/buf generate

gen-check: tools client-ts/node_modules ## Check that what is generated is what proto/ says
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && \
	.tools/bin/buf generate --output "$$out" && diff -r "$$out/client-ts/src/gen" client-ts/src/gen

size-comparison: client-ts/node_modules client-ts/scripts/others/node_modules ## Print the client's size beside that of others, which are fetched
	@cd client-ts && npm run --silent build && node scripts/size-comparison.js

client-ts/scripts/others/node_modules: client-ts/scripts/others/package-lock.json
	cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

client-ts/node_modules: client-ts/package-lock.json
	cd client-ts && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The app has a copy of the package, as it would from a registry: a new one whenever the package changes. npm writes this file
# last, so that an installation which was broken off is not taken for one.
examples/nextjs/node_modules/.package-lock.json: examples/nextjs/package-lock.json client-ts/node_modules client-ts/package.json $(shell find client-ts/src -type f)
	cd client-ts && npm run build
	cd examples/nextjs && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

examples/nextjs/.next/BUILD_ID: examples/nextjs/node_modules/.package-lock.json $(wildcard examples/nextjs/proxy.ts examples/nextjs/*.config.ts) \
		$(shell find examples/nextjs/app examples/nextjs/auth examples/nextjs/components -type f)
	cd examples/nextjs && NEXT_TELEMETRY_DISABLED=1 npm run build
	@touch $@

layout: ## Write src/layout.ld anew: which functions a release build puts beside each other (Linux; half an hour)
	@{ command -v valgrind && command -v curl; } >/dev/null || tests/apt-install valgrind curl || \
	{ echo "the layout needs Valgrind and curl. Debian, Ubuntu: sudo apt-get install valgrind curl" >&2; exit 1; }
	@tests/with-postgres tests/layout

measure: release ## Print the size, memory and start-up time of what is released (Linux)
	@tests/measure

revocation-campaign: ## Measure 20,000 revocations on two nodes, 20,000 races and 2,000 listeners; may take half an hour
	tests/with-postgres cargo test --locked --test it -- --ignored --nocapture --test-threads=1 campaign:: crowd::

faults-campaign: ## Stop, swallow, crash and set back PostgreSQL under nodes with each revocation.on_stale; as root
	@command -v iptables >/dev/null || tests/apt-install iptables || \
	{ echo "the campaign needs root and iptables. Debian, Ubuntu: sudo apt-get install iptables" >&2; exit 1; }
	tests/with-postgres cargo test --locked --test it -- --ignored --nocapture --test-threads=1 faults_campaign

rotation-campaign: client-ts/node_modules ## Change the signing keys every second for a minute under load, and revoke a hundred
	tests/with-postgres cargo test --locked --test it -- --ignored --nocapture --test-threads=1 rotation::
	cargo build --locked
	cd client-ts && npm run build && npm run rotation

bench: release ## Print what calls cost the server that is released, as ratios measured in one run (Linux)
	MEASURED_BINARY=target/released/countersign tests/with-postgres cargo bench --locked --bench service

bench-micro: ## Print what the parts of a call take, each by itself
	cargo bench --locked --bench micro

bench-large: release ## Print what calls take with a million people in the database, beside an empty one
	@tests/with-postgres tests/measure-large

measure-enumeration: release ## Print whether the time of an answer tells that an address has an account; takes a quarter of an hour
	@tests/measure-enumeration

measure-mail: release tools ## Print how long calls take while the mail server does not answer (Linux)
	@tests/measure-mail

simulate: ## Print what PEOPLE a day take of which resource, also on a bad day (docs/capacity.md)
	@python3 tests/simulate $(PEOPLE)

fmt: tools client-ts/node_modules ## Format Rust, Protobuf and TypeScript in place
	cargo fmt --all
	cd client-ts && npm run format
	.tools/bin/buf format -w --exclude-path proto/google

lint: tools client-ts/node_modules deny proto-breaking gen-check ## Check format, lints, dependencies and compatibility, changing nothing
	cargo fmt --all --check
	.tools/bin/buf lint
	.tools/bin/buf format -d --exit-code --exclude-path proto/google
	cd client-ts && npm run lint
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --package countersign-client --lib --no-default-features --locked -- -D warnings

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
	rm -rf target .tools client-ts/{node_modules,dist,build} client-ts/scripts/*/node_modules
	rm -rf examples/nextjs/{node_modules,.next,build}
