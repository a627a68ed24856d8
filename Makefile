# Each target sets up what it needs: a virtual environment in .venv, made with PYTHON (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find envs agents training experiments -type d -not -name __pycache__)

.PHONY: replicate test test-slow clean

replicate: $(VENV)/.linked  ## the whole study with the built-in models
	$(BIN)/dilemmas replicate --out runs/replicate

test: $(VENV)/.linked $(VENV)/.test-tools  ## format, types, directions between packages, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -m "not slow"

test-slow: $(VENV)/.linked $(VENV)/.test-tools  ## the tests that take minutes
	$(BIN)/python -m pytest -q -m slow

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.dependencies: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dilemmas needs Python 3.11 or newer; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt "setuptools>=77" ".[all]"
	touch $@

$(VENV)/.test-tools: $(VENV)/.dependencies
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt ".[test]"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# The editable install is a tree of links, made anew whenever a folder has gained or lost a file.
$(VENV)/.linked: $(VENV)/.dependencies $(SOURCES)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
