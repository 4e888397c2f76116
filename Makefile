# `make demo` and `make test` are all that a newcomer needs; `make help` lists the rest.
#
# Everything is installed into .venv with the versions of constraints.txt. A stamp in .venv notes
# what is installed, so that nothing is installed twice until pyproject.toml or constraints.txt
# change.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STORES := .stores
# The first interpreter that runs, is new enough and can make virtual environments: a name on PATH
# proves nothing, a version manager's shim may answer "command not found".
CANDIDATES := python3 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for name in $(CANDIDATES); do \
    $$name -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
    >/dev/null 2>&1 && { echo $$name; break; }; done)

# The tests that need the project's shared data skip where it is missing.
export DEEPMOJI_SHARED ?= ../shared
# Pin what pip installs to build the package, too (newer versions of pip read the second name).
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

SENTENCES := "I love mom's cooking" \
    "I love how you never reply back.." \
    "I love cruising with my homies" \
    "I love messing with yo mind!!" \
    "I love you and now you're just gone.." \
    "This is shit" \
    "This is the shit"
CODE := src tests scripts benchmarks runs $(wildcard examples)

.PHONY: help demo test check bench readme format clean

help:
	@echo "make demo     install the base package, predict seven sentences with the shipped model"
	@echo "make test     install everything, run the whole test suite"
	@echo "make check    formatting, lint, types, architecture and budgets"
	@echo "make bench    run the benchmarks and print their results as tables"
	@echo "make readme   write results and command reference into README.md and docs/"
	@echo "make format   format the code and mend what lint can mend"
	@echo "make clean    remove the virtual environment and caches"

demo: $(VENV)/.base
	@$(BIN)/deepmoji predict $(SENTENCES)

# A process a core; what a file's tests share, they share in one.
test: $(VENV)/.everything $(STORES)/.installed
	@$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/.everything
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_budgets.py

bench: $(VENV)/.everything
	$(BIN)/python -m benchmarks

readme: $(VENV)/.everything
	$(BIN)/python -m scripts.commands
	$(BIN)/python -m scripts.readme
	$(BIN)/python -m scripts.training_log

format: $(VENV)/.everything
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

clean:
	rm -rf $(VENV) $(STORES) build dist .pytest_cache .ruff_cache .hypothesis
	find src tests scripts benchmarks runs -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "deepmoji needs Python 3.11 or later with its venv module;" \
	    "name one with 'make PYTHON=/path/to/python3'" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Order-only on the interpreter: its date is that of the machine's Python, not of an install.
$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.everything: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[all,cluster,dev]'
	@touch $(VENV)/.base $@

# Without its servers the tests of object stores skip, and say so.
$(STORES)/.installed: constraints-stores.txt | $(BIN)/python
	$(BIN)/python -m venv $(STORES)
	PIP_CONSTRAINT=$(CURDIR)/constraints-stores.txt PIP_BUILD_CONSTRAINT= \
	    $(STORES)/bin/python -m pip install --quiet 'moto[s3]' flask flask-cors gcp-storage-emulator
	@touch $@
