# `make` alone tells what there is. Everything sets itself up; nothing needs root.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PYTHON ?= $(shell for version in python3.13 python3.12 python3.11 python3; do \
	$$version -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$version && break; done)

# uv takes the interpreter that is there, and never fetches one.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Bytecode is compiled once, at installation: Airflow starts twice as fast.
export UV_COMPILE_BYTECODE := 1

PERSONS ?= 20000
SEED ?= 20260601
export PERSONS SEED

.PHONY: help setup run up down check test test-deep bench generated lock clean

help:
	@echo '人口数据集成 · padis-pipeline'
	@echo
	@echo '  make run        一夜 · set up, run one night through Airflow, show it, stop  (PERSONS=$(PERSONS))'
	@echo '  make up         启动 · the same components, with the UI left on; make down stops them'
	@echo '  make test       测试 · all tests'
	@echo '  make check      检查 · ruff, mypy, import-linter, generated pages'
	@echo
	@echo '  make setup      安装 · the virtual environment from the locks; the others call it'
	@echo '  make test-deep  长测 · the long sweeps too'
	@echo '  make bench      测速 · programs under tests/benchmark'
	@echo '  make generated  生成 · dictionary and policy pages'
	@echo '  make lock       锁定 · remake locks/requirements.txt from setup.py'
	@echo '  make clean      清除 · everything that was made: .venv, var, caches'

setup: $(INSTALLED)

$(INSTALLED): locks/bootstrap.txt locks/requirements.txt setup.py
	@test -n '$(PYTHON)' || { echo '需要 Python 3.11–3.13(含 venv) · needs Python 3.11, 3.12 or 3.13 with venv: apt install python3-venv' >&2; exit 2; }
	@echo '安装 · installing into $(VENV) with '"$$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PYTHON) -m venv $(VENV)/bootstrap
	@$(VENV)/bootstrap/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@$(VENV)/bootstrap/bin/uv pip sync --quiet --python $(BIN)/python --require-hashes locks/requirements.txt
	@$(VENV)/bootstrap/bin/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

run: setup
	@$(BIN)/padis local run

up: setup
	@$(BIN)/padis local up

down: setup
	@$(BIN)/padis local down

check: setup
	@echo 'ruff check';         $(BIN)/ruff check --quiet .
	@echo 'ruff format';        $(BIN)/ruff format --quiet --check .
	@echo 'mypy';               $(BIN)/mypy --no-error-summary
	@echo 'import-linter';      $(BIN)/lint-imports --no-timing >/dev/null || $(BIN)/lint-imports
	@echo 'padis docs --check'; $(BIN)/padis docs --check

test: setup
	@$(BIN)/python -m pytest -q -m 'not deep' -n 2 --dist loadscope

test-deep: setup
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope

bench: setup
	@shopt -s nullglob; for program in tests/benchmark/*.py; do echo "$$program"; $(BIN)/python "$$program"; done

generated: setup
	@$(BIN)/padis docs

lock: setup
	@$(VENV)/bootstrap/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --extra dev setup.py -o locks/requirements.txt

clean:
	@if [ -x $(BIN)/padis ]; then $(BIN)/padis local down; fi
	@rm -rf $(VENV) var build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
