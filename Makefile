# The commands of the project; each sets up what it needs, once. See README.md.
# Lambda's own Python if it runs here (a pyenv shim may not), so that the archives hold its bytecode.
RUNTIME := $(shell sed -n 's/^runtime = "\(.*\)".*/\1/p' pyproject.toml)
PYTHON ?= $(or $(shell for python in $(RUNTIME) python3.14 python3.13 python3.12 python3.11; do \
  $$python -c '' 2>/dev/null && echo $$python && break; done),python3)
BIN := .venv/bin
STAGE ?= prod
SHELL := /bin/bash
export PYTHONPATH := $(CURDIR)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # the tests start dozens of processes, which would each compile all they import

.DEFAULT_GOAL := run
.PHONY: help run test screenshots bench package deploy check setup clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: setup ## everything on this machine, at http://127.0.0.1:8000 (DEMO=1, PORT=…, DATA_DIR=…)
	@exec $(BIN)/python -m infra.local

test: setup ## all tests (ARGS=tests/orders: some)
	@exec $(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

screenshots: setup ## every screen of the console, of a stack with the demo, into build/screenshots
	@$(BIN)/python -m tests.console.screenshots

# Each benchmark prints what it does, and then lines of `name value unit`; these are shown together at the end.
bench: setup ## all benchmarks: what each measured, at the end
	@set -o pipefail; mkdir -p build/bench; : > build/bench/results; \
	for file in tests/benchmarks/[a-z]*.py; do \
	  echo "== $$file"; \
	  $(BIN)/python "$$file" | tee build/bench/last || exit 1; \
	  grep -E '^[a-z0-9_.]+ [-0-9.e+]+ [^ ]+$$' build/bench/last >> build/bench/results || true; \
	done; echo "== all"; cat build/bench/results

package: setup ## what goes to AWS, into build/
	@$(BIN)/python -m infra.package --stage $(STAGE)

# STACK, BUCKET, PARAMETERS (a file), ONLY=code, YES=1: docs/deploy.md
deploy: setup package ## two stacks into an AWS account, each change shown first (docs/deploy.md)
	@$(BIN)/python -m infra.deploy --stack $(or $(STACK),millrace-$(STAGE)) $(if $(BUCKET),--bucket $(BUCKET)) \
	  $(if $(PARAMETERS),--parameters $(PARAMETERS)) $(if $(ONLY),--only $(ONLY))

check: setup package ## lint, types, import rules, AWS's limits
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint -r cn-north-1 us-east-1 -t build/data.json build/template.json
	$(BIN)/python -m infra.limits
	$(BIN)/bandit -q -s B101,B608 -r app.py chalicelib functions

setup: .venv/installed .venv-ministack/installed ## installs what all of these need, once; each calls it

.venv/installed: requirements-dev.txt $(wildcard layers/*/requirements.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv" >&2
	@$(BIN)/python -m pip install -q -r requirements-dev.txt
	@touch $@

# By the Python of .venv: the emulator runs the functions with the layers that .venv builds.
.venv-ministack/installed: requirements-ministack.txt | .venv/installed
	@test -x .venv-ministack/bin/python || $(BIN)/python -m venv .venv-ministack
	@echo "installing into .venv-ministack" >&2
	@.venv-ministack/bin/python -m pip install -q -r requirements-ministack.txt
	@touch $@

clean: ## removes build/ and what setup installed
	rm -rf build .venv .venv-ministack
