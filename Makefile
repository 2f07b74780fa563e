# Every command of the repository; CONTRIBUTING.md explains each.
.PHONY: help setup setup-tests setup-check lab demo student notebooks experiments release check test test-all test-cuda lock clean

PYTHON := .venv/bin/python
# Results don't depend on the number of threads, and two grading processes don't fight for cores.
export OMP_NUM_THREADS ?= 1

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

setup:           ## .venv from the lock file
	@tools/setup.sh

setup-tests:
	@tools/setup.sh chromium

setup-check:
	@tools/setup.sh npm

node_modules/stamp: package-lock.json | setup-check
	@npm ci --loglevel=error --no-audit --no-fund >/dev/null
	@touch $@

lab: setup       ## JupyterLab on the lectures
	$(PYTHON) -m jupyterlab --notebook-dir=. --LabApp.default_url=/lab/tree/lectures

demo: setup      ## release, verify and grade a sample class, and show the result
	$(PYTHON) -m tools.demo

student: setup   ## the zip that students get
	$(PYTHON) -m tools.student_bundle

notebooks: setup ## derive every notebook from its text source
	$(PYTHON) -m tools.notebooks

experiments: setup ## recompute the training experiments that the lectures show
	$(PYTHON) -m tools.experiments

release: notebooks  ## derive the notebooks that students get
	$(PYTHON) -m autograder release

check: setup node_modules/stamp  ## style and types, of Python and of JavaScript
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	node_modules/.bin/tsc
	node_modules/.bin/eslint .

# Test files side by side, one a core; then what needs the machine for itself.
TOGETHER = $(PYTHON) -m pytest --numprocesses auto --dist loadfile
ALONE = $(PYTHON) -m pytest

test: setup-tests check  ## every day's tests
	$(TOGETHER) -m "not slow and not browser and not alone"
	$(ALONE) -m "not slow and (browser or alone)"

test-all: setup-tests check  ## the slow suites too
	$(TOGETHER) -m "not browser and not alone"
	$(ALONE) -m "browser or alone"

test-cuda:       ## what needs a GPU; no network, in an environment that stands
	$(ALONE) -m cuda

lock: setup      ## rebuild requirements.lock from what is installed
	@{ head -2 requirements.lock; $(PYTHON) -m pip list --format=freeze \
	    | grep -viE '^(convnet-course|pip|setuptools|wheel)='; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean:           ## remove what make made
	rm -rf .venv build node_modules
