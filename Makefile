# The index of verbs. Each installs what it needs on Debian and Ubuntu, and says what to install elsewhere.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
NEED := xtask/need.sh
CARGO := $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
# What building takes, what the tests' real parts take.
BUILD_NEEDS := cc:gcc clang:clang npm:npm
TEST_NEEDS := $(BUILD_NEEDS) containerd:containerd runc:runc ctr:containerd nft:nftables conntrack:conntrack ip:iproute2 \
  /usr/lib/cni/bridge:containernetworking-plugins busybox:busybox-static mmdebstrap:mmdebstrap skopeo:skopeo jq:jq \
  openssl:openssl python3:python3 perl:perl nc:netcat-openbsd curl:curl zstd:zstd \
  /usr/lib/postgresql/15/bin/postgres:postgresql-15 chromium:chromium rpm:rpm rpmbuild:rpm db_load:db-util \
  docker-registry:docker-registry pip3:python3-pip

# Builds the rig's programs and prints their folder.
RIG := e2e/rig/build.sh kubernetes helm coredns

.PHONY: help
help: ## list the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.PHONY: run
run: web ## build Seawall and watch this machine: make run [FEEDS=DIR] [KUBECONFIG=FILE] [ARGS=…]
	@$(NEED) $(BUILD_NEEDS)
	$(CARGO) build --release -p seawall-cli
	target/release/seawall up --data-dir .run $(if $(FEEDS),--feeds $(FEEDS)) $(if $(KUBECONFIG),--kubeconfig $(KUBECONFIG)) $(ARGS)

.PHONY: test
test: web ## everything that fits in under 50 minutes cold: unit, store, kernel, browser and end-to-end tests
	@$(NEED) $(TEST_NEEDS)
	$(CARGO) fmt --all --check
	npm --prefix web run --silent test
	$(CARGO) xtask tidy
	bin=$$($(RIG)) && moto=$$(e2e/rig/moto.sh) && SEAWALL_RIG_BIN=$$bin SEAWALL_MOTO=$$moto $(CARGO) test --workspace

.PHONY: e2e
e2e: web ## scenarios on a real node, hub and browser (as root; skipped by name when not)
	@$(NEED) $(TEST_NEEDS)
	$(CARGO) build --workspace
	bin=$$($(RIG)) && SEAWALL_RIG_BIN=$$bin $(CARGO) test -p seawall-e2e -- --nocapture

.PHONY: oracles
oracles: web ## soaks and outside judges that take longer than a test run may
	@$(NEED) $(TEST_NEEDS)
	bin=$$($(RIG) gator) && SEAWALL_GATOR=$$bin/gator $(CARGO) test -p seawall-policy -- --nocapture gator
	$(CARGO) build --release -p seawall-cli
	bin=$$($(RIG)) && SEAWALL_BIN=$(CURDIR)/target/release/seawall SEAWALL_RIG_BIN=$$bin SEAWALL_KILLS=100 \
	  $(CARGO) test -p seawall-e2e -- --nocapture crash
	bin=$$($(RIG)) && SEAWALL_BIN=$(CURDIR)/target/release/seawall SEAWALL_RIG_BIN=$$bin SEAWALL_TIMED=1 \
	  $(CARGO) test -p seawall-e2e -- --nocapture runtime hardening
	bin=$$($(RIG)) && SEAWALL_BIN=$(CURDIR)/target/release/seawall SEAWALL_RIG_BIN=$$bin SEAWALL_SHORT_PODS=200 \
	  SEAWALL_AWAY_SECONDS=600 $(CARGO) test -p seawall-e2e -- --nocapture short_lived
	bin=$$($(RIG)) && SEAWALL_BIN=$(CURDIR)/target/release/seawall SEAWALL_RIG_BIN=$$bin SEAWALL_IDLE_SECONDS=600 SEAWALL_IDLE_CONTAINERS=20 \
	  $(CARGO) test -p seawall-e2e -- --nocapture idle
	bin=$$($(RIG)) && SEAWALL_RIG_BIN=$$bin SEAWALL_JUDGED_PODS=10000 $(CARGO) test -p seawall-e2e -- --nocapture pod_security

.PHONY: lint
lint: web ## format, clippy, tidy, dependency bans and licences
	@$(NEED) $(BUILD_NEEDS)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	npm --prefix web run --silent lint
	$(CARGO) xtask tidy
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked --quiet cargo-deny
	$(CARGO) deny --all-features check bans licenses sources

.PHONY: web
web: web/dist/index.html ## build the user interface that the hub embeds
web/dist/index.html: web/package-lock.json web/index.html $(shell find web/src -type f 2>/dev/null)
	@$(NEED) npm:npm
	npm --prefix web ci --no-audit --no-fund --loglevel error
	npm --prefix web run --silent build

.PHONY: content
content: ## test every detection and control, then refresh the generated files
	$(CARGO) run --quiet -p seawall-cli -- rules test
	$(CARGO) run --quiet -p seawall-cli -- policy test content/controls
	$(CARGO) xtask gen

.PHONY: fuzz
fuzz: ## fuzz every reader of bytes, guided by coverage: make fuzz [TARGET=NAME] [SECONDS=60]
	@$(NEED) $(BUILD_NEEDS) c++:g++
	@CARGO=$(CARGO) fuzz/run.sh "$(TARGET)" "$(SECONDS)"

.PHONY: bench
bench: ## measure the engines on this machine: make bench [ARGS=FILTER]
	@$(NEED) $(BUILD_NEEDS)
	$(CARGO) bench --quiet -p seawall-bench --bench seawall -- $(ARGS)

.PHONY: bench-whole
bench-whole: web ## measure whole processes on this machine: scan, agent, webhook under load, gator beside us
	@$(NEED) $(BUILD_NEEDS) /usr/bin/time:time
	$(CARGO) build --release -p seawall-cli -p seawall-bench
	bin=$$($(RIG) gator) && bench/whole.sh target/release/seawall target/release/seawall-bench $$bin/gator

.PHONY: demo
demo: web ## Seawall on a Kubernetes of its own with flawed workloads and a harmless attack, as root: make demo [FEEDS=DIR]
	@$(NEED) $(TEST_NEEDS) bc:bc
	$(CARGO) build --release -p seawall-cli
	bin=$$($(RIG)) && e2e/demo/demo.sh .demo "$$bin" target/release/seawall $(FEEDS)

.PHONY: dist
dist: web ## release artifacts in dist/: binary, Debian package, image, Helm chart, SBOM, checksums: make dist [BINARY=FILE]
	@$(NEED) $(BUILD_NEEDS)
	$(CARGO) xtask dist $(if $(BINARY),--binary $(BINARY))

.PHONY: clean
clean: ## remove what builds made; caches of the rig stay
	$(CARGO) clean
	rm -rf dist web/dist web/node_modules .run .demo
