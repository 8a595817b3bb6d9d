# padis-pipeline: the commands that README names. `make` alone lists them.
# Everything sets itself up; nothing needs root.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup run up down check test test-deep bench bench-profile bench-page generated format lock clean

# The newest Python that is here and that the lock knows.
PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3; do \
	$$v -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
# uv stands apart, so that syncing the environment cannot remove it.
UV := $(VENV)/bootstrap/bin/uv
# uv takes the interpreter that is there, and never fetches one.
export UV_PYTHON_DOWNLOADS := never
# Like pip, trust the certificates of the machine: commissions often sit behind a proxy of their own.
export UV_NATIVE_TLS := 1
export UV_SYSTEM_CERTS := 1
# Bytecode is compiled once, at installation: Airflow starts twice as fast.
export UV_COMPILE_BYTECODE := 1
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

# What benchmarks run beside lives apart: its packages ask for other versions than ours.
PEERS := .venv-bench
SIZE ?= 1m

# Tests make hundreds of small databases and throw them away: in memory, where there is room for them.
TEST_TMP ?= $(shell [ "$$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -1)" -ge 4000 ] 2>/dev/null \
	&& echo /dev/shm || echo "$${TMPDIR:-/tmp}")

PERSONS ?= 20000
SEED ?= 20260601
export PERSONS SEED

help: ## 列出命令 · list these commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(VENV)/installed ## 安装 · make the virtual environment from the hashed locks
	@:

$(VENV)/installed: locks/requirements.txt locks/bootstrap.txt setup.py
	@if [ -z "$(PYTHON)" ]; then echo "found: no Python 3.11 to 3.13; expected: one on PATH, with venv; to do: apt-get install python3 python3-venv" >&2; exit 2; fi
	@echo "安装 · making $(VENV) with $(PYTHON): some minutes, once …"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "to do: apt-get install python3-venv" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)/bootstrap
	@$(VENV)/bootstrap/bin/pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes locks/requirements.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
	@touch $@

run: setup ## 一夜 · run one night of an invented city through the Airflow scheduler (PERSONS=20000)
	@$(BIN)/padis local run

up: setup ## 启动 · bring everything up and leave the UI on at http://127.0.0.1:8080
	@$(BIN)/padis local up

down: setup ## 停止 · stop what `make up` started
	@$(BIN)/padis local down

check: setup ## 检查 · lint, types, layers, generated pages
	@echo "ruff check";         $(BIN)/ruff check --quiet .
	@echo "ruff format";        $(BIN)/ruff format --quiet --check .
	@echo "mypy";               $(BIN)/mypy --no-error-summary
	@echo "lint-imports";       $(BIN)/lint-imports
	@echo "padis docs --check"; $(BIN)/padis docs --check
	@echo "padis policy check"; $(BIN)/padis policy check

test: setup ## 测试 · all tests but the long sweeps
	@TMPDIR=$(TEST_TMP) $(BIN)/python -m pytest -q -o tmp_path_retention_policy=failed -m "not deep" -n 2 --dist loadscope --no-loadscope-reorder

test-deep: setup ## 长测 · the long sweeps
	@$(BIN)/python -m pytest -q -m deep

bench: setup $(PEERS)/installed ## 基准 · time and memory beside peers, SIZE=20k, 1m (default), 5m or 22m
	@$(BIN)/python -m tests.benchmark run --size $(SIZE)

bench-profile: setup $(PEERS)/installed ## 剖析 · where the time of our steps goes, SIZE=20k, 1m (default), 5m or 22m
	@$(BIN)/python -m tests.benchmark profile --size $(SIZE)

bench-page: setup ## 基准页 · write docs/benchmarks.md from what was measured
	@$(BIN)/python -m tests.benchmark page

$(PEERS)/installed: locks/peers.txt $(VENV)/installed
	@echo "安装 · making $(PEERS) for the peers of the benchmarks …"
	@$(PYTHON) -m venv --clear $(PEERS)
	@$(UV) pip sync --quiet --python $(PEERS)/bin/python --require-hashes locks/peers.txt
	@touch $@

generated: setup ## 生成 · write the generated pages anew
	@$(BIN)/padis docs

format: setup ## 整理 · format the code
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .

lock: setup ## 锁定 · resolve setup.py and locks/peers.in anew into the hashed locks
	@$(LOCK) --upgrade --extra dev setup.py -o locks/requirements.txt
	@$(LOCK) --upgrade --override locks/peers-overrides.txt locks/peers.in -o locks/peers.txt
	@grep -E '^uv==' locks/bootstrap.txt | cut -d' ' -f1 | $(LOCK) - -o locks/bootstrap.txt

clean: ## 清除 · forget the city and all state (var/), keep the virtual environment
	@if [ -x $(BIN)/padis ]; then $(BIN)/padis local down; fi
	@rm -rf var
