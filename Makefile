# The doors of the house. `make help` lists them; none needs another step before it.
#
# Needed on the machine: python3 >= 3.11, and node with npm for the tests against the JavaScript
# reference. What else is missing is installed here: the Python environment in $(VENV), the npm
# packages in tests/interop, and (as root, where apt-get is) the system packages.
# With CI=true a tool that cannot be had is an error; elsewhere its tests are skipped, and say so.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
VENV ?= .venv
CI ?=
# What follows `pytest`, `sansocket serve` or `sansocket bench`: make test ARGS='-x'.
ARGS ?=

# Beside that of $(VENV).
PYTHONS ?= 3.12 3.13

BIN := $(VENV)/bin
ENVIRONMENTS := build/pythons
INTEROP := tests/interop
# A step that has been done leaves its stamp, and is done again when what it was made from changed.
RUNTIME := $(VENV)/runtime.stamp
DEVELOPMENT := $(VENV)/development.stamp
BENCHMARK := $(VENV)/benchmark.stamp
NODE_MODULES := $(INTEROP)/node_modules/installed.stamp

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# $(call apt,PACKAGES): true when the packages were installed, false where we may not or cannot.
apt = { [ "$$(id -u)" = 0 ] && type -P apt-get >/dev/null && apt-get update --quiet=2 && \
	DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $(1); }
# $(call missing,WHAT): an error in CI, a remark elsewhere.
missing = { echo "missing: $(1)" >&2; [ "$(CI)" != true ]; }

# $(call interpreter,VERSION): print where it is, pyenv's first, whose name on the PATH may lead nowhere.
interpreter = for each in "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$(1).*/bin/python python$(1); do \
	if "$$each" -c '' 2>/dev/null; then echo "$$each"; break; fi; done

.PHONY: help demo test test-pythons test-python bench lint format dist setup node browser proxy clean distclean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand --tabs=20

demo: $(RUNTIME) ## run the demonstration server with its chat page (ARGS='--port 8000')
	@if type -P npm >/dev/null; then $(MAKE) --silent $(NODE_MODULES) || true; fi
	$(BIN)/sansocket serve $(ARGS)

# What is counted is what the core's own tests reach: to count in the others takes seven minutes more.
test: setup $(BENCHMARK) node browser proxy ## run every test and hold the core to its branch coverage (ARGS='-x')
	$(BIN)/coverage erase
	$(BIN)/coverage run $(BIN)/pytest tests/sansio $(ARGS)
	$(BIN)/pytest --ignore=tests/sansio $(ARGS)
	$(BIN)/coverage report

# Side by side, each in an environment of its own, with fewer examples of Hypothesis than on the main
# one. What an object takes differs from Python to Python: the budgets are those of the main one.
test-pythons: ## the core, the asyncio backend and the suite of all backends on other Pythons
	@mkdir -p $(ENVIRONMENTS); running=(); failed=0; trap 'kill $${running[*]}' INT; \
	for version in $(PYTHONS); do \
		$(MAKE) --silent test-python VERSION=$$version >$(ENVIRONMENTS)/$$version.log 2>&1 & running+=($$!); \
	done; \
	for each in "$${running[@]}"; do wait $$each || failed=1; done; \
	for version in $(PYTHONS); do cat $(ENVIRONMENTS)/$$version.log; done; \
	exit $$failed

test-python:
	@python=$$($(call interpreter,$(VERSION))); \
	if [ -z "$$python" ]; then $(call missing,Python $(VERSION): its tests are skipped); exit; fi; \
	venv=$(ENVIRONMENTS)/$(VERSION); \
	if ! [ $$venv/installed.stamp -nt pyproject.toml ]; then \
		"$$python" -m venv --clear $$venv; \
		$$venv/bin/pip install --quiet --upgrade 'pip>=25.1'; \
		PYTHONWARNINGS='ignore:Editable installation' $$venv/bin/pip install --quiet --editable '.[trio]' --group test; \
		touch $$venv/installed.stamp; \
	fi; \
	$$venv/bin/python --version; \
	$$venv/bin/pytest --quiet -p no:cacheprovider --hypothesis-profile=brief \
		--ignore=tests/sansio/test_budget.py --ignore=tests/backends/test_budget.py \
		tests/sansio tests/asyncio_backend tests/backends $(ARGS)

# `sansocket bench --help` says what the arguments are.
bench: setup node $(BENCHMARK) ## measure the servers side by side (ARGS='--quick --case echo')
	$(BIN)/sansocket bench $(ARGS)

# `--verifytypes` sees no editable install, and asks the first python of the PATH where packages are.
lint: setup ## ruff, mypy --strict, pyright strict; and is every public name typed for those who import it?
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python --warnings
	PATH="$(abspath $(BIN)):$$PATH" PYTHONPATH="$(CURDIR)" \
		$(BIN)/pyright --ignoreexternal --verifytypes sansocket | sed '/^Public modules/,/^$$/d'

format: setup ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dist: setup ## build the sdist and the wheel into dist/
	$(BIN)/pyproject-build --no-isolation

setup: $(DEVELOPMENT) ## the Python environment, with the tools of development

node: ## the npm packages that the tests in tests/interop talk to
	@if type -P npm node >/dev/null || $(call apt,nodejs npm); then \
		$(MAKE) --silent $(NODE_MODULES); \
	else $(call missing,node and npm: the tests against the JavaScript reference need them); fi

browser: ## a Chromium for the tests of the demonstration page
	@type -P chromium || type -P chromium-browser || type -P google-chrome || $(call apt,chromium) || \
		$(call missing,chromium: the tests of the demonstration page need it)

proxy: ## an nginx for the tests of what the guide says of it
	@PATH="$$PATH:/usr/sbin" type -P nginx || $(call apt,nginx-light) || \
		$(call missing,nginx: the tests of its configuration need it)

clean: ## remove what builds and test runs left
	rm -rf build dist *.egg-info .coverage .coverage.* coverage.xml .hypothesis .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## the same, and the environments that this Makefile made
	rm -rf .venv $(INTEROP)/node_modules

# setuptools warns of every editable install beside a folder that is named like the package. Ours
# leads to the same files; tests/test_packaging.py holds it so.
$(RUNTIME): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed; this is " + sys.version if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt,python3-venv)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	PYTHONWARNINGS='ignore:Editable installation' $(BIN)/pip install --quiet --editable '.[trio,cli]'
	@touch $@

$(DEVELOPMENT): $(RUNTIME)
	$(BIN)/pip install --quiet --group dev
	@touch $@

$(BENCHMARK): $(RUNTIME)
	$(BIN)/pip install --quiet --group bench
	@touch $@

$(NODE_MODULES): $(INTEROP)/package.json $(INTEROP)/.npmrc
	cd $(INTEROP) && npm install --no-audit --no-fund --loglevel=error
	@touch $@
