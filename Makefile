# `make` alone explains the targets. Each does all of its own set-up (see scripts/setup).
.DEFAULT_GOAL := help
SHELL := /bin/sh
LAB ?= .lab
BIN := .venv/bin

# Of the caller's Python, nothing: the lab needs the distribution's, whose gfal2 binding it loads.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help
help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## Install what is missing: system packages (asks sudo), .venv, a Rucio server for the lab
	@test -x /usr/bin/python3 || { echo "setup: /usr/bin/python3 is missing: install Debian's package python3, then run make again" >&2; exit 1; }
	@/usr/bin/python3 -B scripts/setup

.PHONY: demo
demo: setup ## Start a real data lake here and test it: every step over every link
	@$(BIN)/dltest lab up --dir $(LAB) --service
	@$(BIN)/dltest run --tags core --lab $(LAB) --via-service

.PHONY: demo-down
demo-down: ## Stop the demo and remove all that it made
	@test ! -x $(BIN)/dltest || $(BIN)/dltest lab down --dir $(LAB) --purge

.PHONY: test
test: setup ## Run all tests, the slow ones against a lake of their own included
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: drill
drill: setup ## Break a lab in every way, and see that dltest notices each for what it is
	@$(BIN)/dltest lab up --dir $(LAB)
	@$(BIN)/dltest drill --lab $(LAB)

.PHONY: check
check: setup ## Check style, types, layers, spelling and dependencies
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/codespell $$(git ls-files)
	@$(BIN)/deptry .

.PHONY: bench
bench: setup ## Measure against the raw tools: one JSON object a figure
	@$(BIN)/python -m bench --json

.PHONY: docs
docs: setup ## Write the generated pages of docs/reference anew
	@$(BIN)/python scripts/reference.py

.PHONY: clean
clean: demo-down ## Remove all that these targets made here, system packages excepted
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
