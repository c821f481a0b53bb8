# `make help` lists what there is. Needs python3 (3.11 or later) with venv, and make; nothing else.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup serve test bench lint format docs

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with the project, all extras and the tools; at once where nothing changed
	@PYTHON=$(PYTHON) scripts/setup

serve: setup ## set up, build the dashboard and start on http://127.0.0.1:8321; ARGS="--port 9000" passes options on
	@$(BIN)/python hatch_build.py
	$(BIN)/mooring serve --demo $(ARGS)

test: setup ## set up, install what the tests need, check everything; ARGS="tests/unit -x" narrows it
	@scripts/install-test-servers
	@scripts/test $(ARGS)

bench: setup ## print the benchmarks, each figure beside its goal
	@$(BIN)/python -m benchmarks $(ARGS)

lint: setup ## ruff, mypy, the floors, and the dashboard's checkers, without the tests
	@scripts/lint

format: setup ## let ruff and prettier repair and format
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format
	@scripts/npm run --silent format

docs: setup ## write docs/reference and the dashboard's types anew from the code
	$(BIN)/python -m docs.generator
	@scripts/dashboard-types
