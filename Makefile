# Everything one does with Sentinel. `make` alone lists it.

VENV := .venv
PY := $(VENV)/bin/python

# The first Python of 3.11 or later; say PYTHON=... for another one.
OLD := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c '$(OLD)' 2>/dev/null && echo $(name))))

# Two terminals must not install into one .venv at once. Where there is no flock (macOS) nothing holds the second back.
LOCKED := $(if $(shell command -v flock),flock Makefile)
INSTALLED = @$(LOCKED) $(MAKE) --silent --no-print-directory

# What `make check` looks at is what a server in production would run with. Nothing of it is connected to.
PRODUCTION = export SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')" ENV_FILE= DEBUG=false \
	HTTPS=true BEHIND_TLS_PROXY=true ALLOWED_HOSTS=shop.example.com TRUSTED_PROXIES=10.0.0.0/8 ENFORCE=block \
	SHOP_URL=https://www.example.com REDIS_URL=redis://redis.example.com:6379/0 CELERY_BROKER_URL=amqp://rabbitmq.example.com:5672//
POSTGRES = DATABASE_URL=postgres://sentinel@postgres.example.com/sentinel
SQLITE = DATABASE_URL=sqlite://:memory:

# Each worker starts a PostgreSQL and a Valkey of its own; beyond four they are in each other's way. Slow tests run one
# after another: what they hold to a deadline has the machine to itself.
WORKERS := --numprocesses logical --maxprocesses 4 --dist worksteal

CHECKS := check-style check-types check-imports check-migrations check-settings check-api
.PHONY: help run manage test test-all check $(CHECKS) fix docs bench clean installed installed-dev installed-npm

help:  ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: installed  ## start everything on this machine, at http://127.0.0.1:8000 (PORT=8001 for another port)
	@$(PY) -m sentinel.run

manage: installed  ## a Django command on the data of `make run`, as in `make manage COMMAND="showmigrations shop"`
	@$(PY) -m sentinel.run manage $(COMMAND)

test: installed-dev  ## all tests but the slow ones (ARGS="-k login" for some, ARGS="-n 0" in one process)
	@$(PY) -m pytest -m "not slow" $(WORKERS) $(ARGS)

test-all: installed-dev installed-npm  ## all tests, one after another (ARGS="-m slow" for those that `make test` leaves out)
	@$(PY) -m pytest $(ARGS)

check: installed-dev  ## style, types, imports, migrations, settings of a production server, API description
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

check-style:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

check-types:
	@$(PRODUCTION) $(SQLITE) && $(PY) -m mypy .

check-imports:
	$(VENV)/bin/lint-imports

check-migrations:
	@$(PRODUCTION) $(SQLITE) && $(PY) manage.py makemigrations --check --dry-run

check-settings:
	@$(PRODUCTION) $(POSTGRES) && $(PY) manage.py check --deploy --fail-level WARNING

check-api:
	@$(PRODUCTION) $(SQLITE) && $(PY) manage.py spectacular --fail-on-warn --validate --file /dev/null

fix: installed-dev  ## let ruff correct what it can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: installed  ## write the tables that docs/ takes from the code
	@$(PY) docs/generate.py

bench: installed-dev  ## measure, as benchmarks/ says (ARGS=... is handed on)
	@$(PY) -m benchmarks $(ARGS)

clean:  ## forget the data of `make run`, and caches
	@! test -e var/lock || test -z "$(LOCKED)" || flock --nonblock var/lock true || \
		{ echo "Sentinel runs here: stop it first (Ctrl-C in its terminal)." >&2; exit 1; }
	@rm -rf var build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

installed:
	$(INSTALLED) $(VENV)/installed

installed-dev:
	$(INSTALLED) $(VENV)/installed-dev

# axe-core looks at pages for the browser tests; a receiver and a client of metrics that are not ours check ours, and
# Postman's runner our collection. Where npm is missing those tests are skipped, and say so.
installed-npm:
	@! command -v npm >/dev/null || $(LOCKED) $(MAKE) --silent --no-print-directory $(VENV)/npm/installed

$(VENV)/npm/installed: tests/npm/package.json tests/npm/package-lock.json
	@echo "Installing what $< names into $(@D)."
	@mkdir -p $(@D) && cp $^ $(@D) && cd $(@D) && npm ci --ignore-scripts --omit=optional --no-audit --no-fund --silent
	@touch $@

$(VENV)/installed: requirements.txt | $(PY)
	@echo "Installing what $< names into $(VENV); this takes about a minute and is done once."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input -r $<
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed | $(PY)
	@echo "Installing what $< names into $(VENV)."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input -r $<
	@touch $@

$(PY):
	@$(or $(PYTHON),false) -c '$(OLD)' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed: apt-get install python3 python3-venv (or say PYTHON=/path/to/python3.11)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python has no venv module here: apt-get install python3-venv." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
