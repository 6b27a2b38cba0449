# The commands of Tidemark. `make` alone prints them. Nothing here needs more than a package manager.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

tools := $(or $(TIDEMARK_TOOLS),$(HOME)/.cache/tidemark/tools)
target := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
export PATH := $(CURDIR)/node_modules/.bin:$(tools)/bin:$(PATH):$(HOME)/.cargo/bin
export TIDEMARK_BIN := $(target)/release/tidemark
export TIDEMARK_SITE := $(CURDIR)/target/site
export TIDEMARK_SIM := $(target)/release/oceanbase-sim
export CARGO_TERM_PROGRESS_WHEN := never

home ?= .tidemark
listen ?= 127.0.0.1:3000
oceanbase_version ?= 4.3.5
oceanbase_tenants ?= 4
oceanbase_seed ?= 7
oceanbase_listen ?= 127.0.0.1:2881

# What the set-up has to prepare beside building, from what was asked for.
purposes := $(filter unit test bench,$(patsubst e2e,test,$(MAKECMDGOALS)))

.PHONY: help run build test lint unit e2e bench bench-oceanbase bench-scale bench-page dev oceanbase-demo clean setup

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Set up only: tools, packages and the chart bundle, skipping what is there
	@end2end/setup/tools.sh $(purposes)

run: build ## Set up, build and serve with two demo tenants on http://127.0.0.1:3000 (home=DIR listen=ADDR)
	@exec "$(TIDEMARK_BIN)" serve --demo --site "$(TIDEMARK_SITE)" --home "$(home)" --listen "$(listen)"

build: setup ## Set up and build the release binary and the site
	@echo "build: release binary and site (the first time takes some minutes)"
	@cargo leptos build --release --precompress --split

test: setup lint unit e2e ## Set up and run every test, the browser's included

lint: setup ## Check format, lints (native and wasm) and the browser tests' types
	@echo "lint: format"
	@cargo fmt --all --check
	@echo "lint: clippy, everything native"
	@cargo clippy --quiet --workspace --all-targets -- -D warnings
	@echo "lint: clippy, what the browser runs"
	@cargo clippy --quiet --package app --package browser --features app/hydrate --target wasm32-unknown-unknown -- -D warnings
	@echo "lint: types of the browser tests"
	@tsc --project end2end/tsconfig.json

unit: setup ## Run only the Rust tests
	@echo "test: cargo test, whole workspace"
	@cargo test --quiet --workspace --no-fail-fast

e2e: setup build ## Run only the browser tests, on the release build
	@echo "test: the simulated OceanBase cluster that browser tests use"
	@cargo build --quiet --release -p oceanbase-sim
	@echo "test: Playwright, on the release build"
	@playwright test --config end2end/playwright.config.ts

bench: setup build bench-oceanbase ## Measure backup, restore and log delay beside sqlite3, cp, restic and litestream
	@python3 end2end/bench/bench.py --binary "$(TIDEMARK_BIN)" --site "$(TIDEMARK_SITE)" --litestream target/bench-venv/bin/litestream

bench-oceanbase: setup build ## Measure what a look at an OceanBase cluster costs, and how long a change takes to the page
	@cargo build --quiet --release -p oceanbase-sim
	@python3 end2end/bench/oceanbase.py --binary "$(TIDEMARK_BIN)" --site "$(TIDEMARK_SITE)" --simulation "$(TIDEMARK_SIM)"
	@playwright test --config end2end/figures.config.ts oceanbase

bench-scale: setup build ## Measure pages and feeds of a console with a million tasks
	@python3 end2end/bench/scale.py --binary "$(TIDEMARK_BIN)" --site "$(TIDEMARK_SITE)"

bench-page: setup build ## Measure what the page costs a browser: bytes, times, memory, what is drawn anew
	@TIDEMARK_BIN="$(TIDEMARK_BIN)" TIDEMARK_SITE="$(TIDEMARK_SITE)" playwright test --config end2end/figures.config.ts page

dev: setup ## Build for development, serve with the demo tenants and rebuild on every change
	@cargo leptos watch --split -- serve --demo --home "$(home)" --listen "$(listen)"

oceanbase-demo: setup ## Serve a simulated OceanBase cluster on 127.0.0.1:2881 (oceanbase_version=4.3.5 oceanbase_tenants=4 oceanbase_seed=7)
	@cargo build --release -p oceanbase-sim
	@exec "$(target)/release/oceanbase-sim" --version "$(oceanbase_version)" --tenants "$(oceanbase_tenants)" --seed "$(oceanbase_seed)" --listen "$(oceanbase_listen)"

clean: ## Remove what was built (not the homes of servers)
	@rm -rf target node_modules public/vendor end2end/test-results end2end/playwright-report
	@echo "clean: removed target, node_modules, public/vendor and test results"
