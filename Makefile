# The commands of the repository. CONTRIBUTING.md explains them.
.PHONY: help setup setup-tests setup-check lab demo student notebooks experiments release site check test test-all test-cuda lock clean

PYTHON := .venv/bin/python
# With one thread, results don't depend on the number of cores, and grading processes that run side by
# side don't compete for cores.
export OMP_NUM_THREADS ?= 1

help:            ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

setup:           ## .venv from the lock file
	@tools/setup.sh

setup-tests:
	@tools/setup.sh chromium

setup-check:
	@tools/setup.sh npm

node_modules/stamp: package-lock.json | setup-check
	@npm ci --loglevel=error --no-audit --no-fund >/dev/null && touch $@ \
	    || echo "JavaScript is NOT CHECKED: npm couldn't install its packages" >&2

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

site: setup setup-check  ## the site, in build/site/html: lectures executed, documentation, reference
	$(PYTHON) -m tools.site

check: setup node_modules/stamp  ## style and types, of Python and of JavaScript
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	if [ -e node_modules/stamp ]; then node_modules/.bin/tsc && node_modules/.bin/eslint .; fi

# First test files side by side, one on each core; then the tests that need the computer alone.
TOGETHER = $(PYTHON) -m pytest --numprocesses auto --dist loadfile
ALONE = $(PYTHON) -m pytest

test: setup-tests check  ## all tests but the slow ones
	$(TOGETHER) -m "not slow and not browser and not alone"
	$(ALONE) -m "not slow and (browser or alone)"

test-all: setup-tests check  ## all tests, the slow ones too
	$(TOGETHER) -m "not browser and not alone"
	$(ALONE) -m "browser or alone"

test-cuda:       ## the tests that need a GPU; needs a finished environment, and no network
	$(ALONE) -m cuda

lock: setup      ## rebuild requirements.lock from what is installed
	@{ head -2 requirements.lock; $(PYTHON) -m pip list --format=freeze \
	    | grep -viE '^(convnet-course|pip|setuptools|wheel)='; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean:           ## remove .venv, build and node_modules
	rm -rf .venv build node_modules
