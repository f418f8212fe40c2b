# `make demo` and `make test` do all the set-up they need; see docs/runbooks/set-up.md.
PYTHON ?= python3
BIN := .venv/bin
NPM := $(PYTHON) scripts/setup/npm.py
UV_COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

.DEFAULT_GOAL := help
# Each process would compile every module that it imports, again and again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup setup-dev demo test test-all faults upgrade-from measure-keeping lint audit bench lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: ## Set everything up under DEMETER_HOME
	@$(PYTHON) scripts/setup

setup-dev: ## The same, and what the tests need
	@$(PYTHON) scripts/setup --dev

demo: ## A photo becomes stock, on a page of your own
	@$(PYTHON) scripts/setup --serve
	@$(BIN)/demeter demo --own-home

test: lint ## Check the code and run the tests
	@$(NPM) --silent test
	@$(BIN)/pytest -n auto --dist loadgroup

test-all: test ## The same, then the tests that take minutes each
	@$(BIN)/pytest -n auto --dist loadgroup -m long

faults: setup-dev ## Break everything on purpose: SEED=1 RUNS=300 (docs/faults.md)
	@PYTHONPATH=tests:tests/faults $(BIN)/python -m harness --seed $(or $(SEED),1) \
		--runs $(or $(RUNS),10) --minutes $(or $(MINUTES),100) \
		$(if $(ONLY),--only $(ONLY)) $(if $(AGAIN),--again)

upgrade-from: setup-dev ## Upgrade data of an earlier version (BASE=commit), and both ways back
	@UPGRADE_FROM=$(BASE) $(BIN)/pytest -q tests/ops/test_upgrade_from.py -m long

measure-keeping: setup ## Measure backup, restore and migrations on five years (takes minutes)
	@$(BIN)/python -m scripts.keeping --folder build/keeping

lint: setup-dev ## Check how the code reads, and its types
	@$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/pyright --pythonpath $(BIN)/python
	@$(NPM) --silent run check

audit: setup-dev ## Look for secrets, licences and known faults; write the bill of materials
	@$(BIN)/python scripts/audit

bench: setup ## Measure speed beside SAHI (its environment takes some gigabytes)
	@$(BIN)/python -m benchmarks

lock: setup-dev ## Renew the lock files after a change of pyproject.toml
	@$(UV_COMPILE) --group build pyproject.toml -o requirements.lock
	@$(UV_COMPILE) --group pyproject.toml:dev -c requirements.lock -o requirements-dev.lock
	@$(UV_COMPILE) --group pyproject.toml:assets -o requirements-assets.lock

clean: ## Remove what was built, installed and cached; never the database and the photos
	@$(PYTHON) scripts/setup --clean
