# padis-pipeline: the commands that README names. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run up down check test test-deep generated format lock clean

# The newest Python that is here and that the lock knows.
PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3; do \
	$$v -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$v && break; done)
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: .venv/installed ## make the virtual environment from the hashed lock

.venv/installed: locks/requirements.txt locks/bootstrap.txt setup.py
	@if [ -z "$(PYTHON)" ]; then echo "found: no Python 3.11 to 3.13; expected: one on PATH, with venv; to do: apt-get install python3 python3-venv" >&2; exit 2; fi
	@echo "making .venv with $(PYTHON) …"
	@$(PYTHON) -m venv --clear .venv || { echo "to do: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes locks/requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## run one night of an invented city through the Airflow scheduler (PERSONS=20000)
	@$(BIN)/padis local run

up: setup ## bring everything up and leave the UI on at http://127.0.0.1:8080
	@$(BIN)/padis local up

down: setup ## stop what `make up` started
	@$(BIN)/padis local down

check: setup ## lint, types, layers, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/padis docs --check

test: setup ## all tests but the long sweeps
	$(BIN)/python -m pytest -m "not deep"

test-deep: setup ## the long sweeps; results are recorded in docs/evidence/
	$(BIN)/python -m pytest -m deep

generated: setup ## write the generated pages anew
	@$(BIN)/padis docs

format: setup ## format the code
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .

lock: setup ## resolve setup.py anew into the hashed locks
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev --upgrade setup.py -o locks/requirements.txt
	@grep -E '^uv==' locks/bootstrap.txt | cut -d' ' -f1 | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 - -o locks/bootstrap.txt

clean: ## forget the city and all state (var/), keep the virtual environment
	@if [ -x $(BIN)/padis ]; then $(BIN)/padis local down; fi
	@rm -rf var
