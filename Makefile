# Everything a newcomer needs: `make demo` and `make test` do their own set-up.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: setup demo test test-all lint format bench photographs study-synthetic study-losses study-batchnorm clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "srqa needs Python 3.11 or newer; say which one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
# pyiqa for the tests of its adapter, without the 250 MB that it asks for and these do not need.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps 'pyiqa==0.1.16'
	@touch $(STAMP)

demo: setup
	$(BIN)/srqa demo

test: setup
	$(BIN)/python -m pytest -m "not slow and not browser" -n auto --dist loadgroup

test-all: setup
	$(BIN)/python -m pytest -m "slow or browser"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

DEVICE ?= cpu
bench: setup
	$(BIN)/python -m benchmarks --device $(DEVICE) $(ARGS)

# Studies of methods (docs/findings.md); each goes on where it was. ARGS='--help' says what there is.
PHOTOGRAPHS ?= photographs
photographs: setup
	$(BIN)/srqa train photographs $(PHOTOGRAPHS)

study-synthetic study-losses study-batchnorm: study-%: photographs
	$(BIN)/python -m studies.$* --hr $(PHOTOGRAPHS) $(ARGS)

clean:
	rm -rf $(VENV) demo build dist
