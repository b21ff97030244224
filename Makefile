# `make study` installs the locked software into .venv and runs the default study; `make test` installs and tests.
# Another Python: make PYTHON=/path/to/python3.12 study.  More Snakemake options: make study ARGS="--cores 1".
# To run another study, call Snakemake: see docs/study.md.

SHELL := bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help study test test-quick test-slurm lint docs lock clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
ARGS ?=
RESULTS = results/$(shell sed -n 's/^name: *\([^ ]*\).*/\1/p' config/config.yaml)

# The first of these that runs and has a version supported by the lock. It is tried because a name on the PATH may be a
# version manager's shim without a Python behind it.
SUPPORTED := import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,\
  $(shell $(name) -c '$(SUPPORTED)' >/dev/null 2>&1 && echo $(name))))

# Programs in .venv contain its path: after the checkout was moved or copied, it is made anew.
MOVED := $(filter-out $(CURDIR),$(shell cat $(STAMP) 2>/dev/null))
ifneq ($(MOVED),)
.PHONY: $(STAMP)
endif

help:
	@cat <<-END
	make study       install, run the default study and write its HTML report
	make test        install and run every test (make test-quick: without the slow ones)
	make test-slurm  start a SLURM on this machine (Debian, root) and test the fan-out over it
	make lint        check the style of code and workflow
	make docs        build docs/ as HTML and check its cross-references
	make lock        update requirements.lock
	make clean       remove .venv and caches; results stay
	END

study: $(STAMP)
	@echo "results go to $(RESULTS)/, a log of each job to $(RESULTS)/logs/"
	$(BIN)/snakemake $(ARGS)
	$(BIN)/snakemake $(ARGS) --report $(RESULTS)/report.html
	echo "read $(RESULTS)/report.html; table 1 alone is $(RESULTS)/tables/table1.md"

# One process per core; the tests of a file share fixtures and run in the same process.
test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile

test-quick: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-slurm: $(STAMP)
	@tests/slurm/run.sh $(BIN)/python

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -n -q docs docs/_build
	@echo "read docs/_build/index.html"

# torch first, with its declared dependencies: pip chooses the build for this machine, and with it the CUDA packages.
# Everything else exactly as locked, ignoring declared dependencies: see tool.uv in pyproject.toml.
$(STAMP): requirements.lock pyproject.toml
	@ask="install one of them, or name one you have: make PYTHON=/path/to/python3.11"
	stop() { echo "minde needs Python 3.11 or 3.12 $$1" >&2; exit 1; }
	test -n "$(PYTHON)" || stop "but none of python3.11, python3.12 and python3 runs as one of them here; $$ask"
	found=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) \
	  || stop "but $(PYTHON) does not run; $$ask"
	case $$found in 3.11|3.12) ;; *) stop "but $(PYTHON) is Python $$found; $$ask" ;; esac
	"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null \
	  || stop "with its module venv, which $(PYTHON) (Python $$found) lacks; on Debian and Ubuntu install python$$found-venv"
	echo "installing the locked software into $(VENV) with Python $$found; this takes minutes, once"
	# An existing environment is updated, so that a running study keeps it; one of another Python is replaced.
	kept=$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || kept=nothing
	"$(PYTHON)" -m venv $$(test "$$kept" = "$$found" -a -z "$(MOVED)" || echo --clear) $(VENV)
	$(BIN)/python -m pip install --quiet -c requirements.lock $$(grep '^torch==' requirements.lock)
	$(BIN)/python -m pip install --quiet --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	echo "$(CURDIR)" > $@

# Dropped: torch's CUDA packages, which depend on the build that pip picks, and packages for unsupported systems.
lock: $(STAMP)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra dev pyproject.toml --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --upgrade --quiet \
	  | grep -v -E '^(nvidia-|cuda-|triton)|sys_platform == .(win32|emscripten)' > requirements.lock.new
	mv requirements.lock.new requirements.lock

# Not .snakemake, the record of what made each result: without it, Snakemake reruns nothing after a change.
clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache build src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
