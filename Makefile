# make run    starts Telemed on this machine          (PORT=8000 PROCESSES=1)
# make test   every test, with its own servers        (TESTS="tests/scheduling -k slots" JOBS=2)
# make check  linters, types, migrations, translations, audit
# make fuzz   looks for input that breaks a parser   (FUZZ_SECONDS=60 for each, FUZZ="sdp sctp")
# make lock   writes requirements/*.txt anew

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
export PORT PROCESSES FUZZ_SECONDS

.PHONY: run test test-sqlite test-postgresql check fuzz lock clean
.NOTPARALLEL:

run:
	@PYTHON=$(PYTHON) telemed/run/install.sh base
	@exec $(BIN)/python -m telemed.run

test: test-sqlite test-postgresql

# All of them side by side but for those that nothing may run beside; chosen ones one by one.
PYTEST := $(BIN)/python -m pytest
BESIDE := -n $(JOBS) --dist worksteal
ON_POSTGRESQL := (database and not browser) or story

test-sqlite:
	@PYTHON=$(PYTHON) telemed/run/install.sh dev tests
ifdef TESTS
	@$(PYTEST) $(TESTS)
else
	@$(PYTEST) $(BESIDE) -m "not alone"
	@$(PYTEST) -m alone
endif

test-postgresql: export TEST_DATABASE := postgresql
test-postgresql:
	@PYTHON=$(PYTHON) telemed/run/install.sh dev tests
ifdef TESTS
	@$(PYTEST) -m "$(ON_POSTGRESQL)" $(TESTS)
else
	@$(PYTEST) $(BESIDE) -m "($(ON_POSTGRESQL)) and not alone"
	@$(PYTEST) -m "($(ON_POSTGRESQL)) and alone"
endif

# With the settings of an installation: what deploy/telemed.env says, and keys made for this check.
PRODUCTION := folder=$$(mktemp -d) && key=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') \
  && sed -E "s/replace[-0-9A-Za-z]*/$$key/" deploy/telemed.env > $$folder/env \
  && set -a && . $$folder/env && VAR_DIR=$$folder && set +a &&

check:
	@PYTHON=$(PYTHON) telemed/run/install.sh dev check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	@cmp -s package-lock.json node_modules/.installed || { \
	  npm ci --silent --no-audit --no-fund && cp package-lock.json node_modules/.installed; }
	npm run --silent types
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest --noconftest tests/test_translations.py
	@echo "manage.py check --deploy, as in production"
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/python .ci/audit.py

fuzz:
	@PYTHON=$(PYTHON) telemed/run/install.sh dev
	@PYTHON=$(PYTHON) telemed/run/install.sh fuzz || { \
	  echo "make fuzz needs atheris, which has wheels for some Pythons on Linux only; this is" \
	    "$$($(BIN)/python --version). Take another by:  make clean fuzz PYTHON=python3.11"; exit 1; }
	@$(BIN)/python -m tests.fuzz $(FUZZ)

lock:
	@PYTHON=$(PYTHON) telemed/run/install.sh dev
	@for name in base dev fuzz; do \
	  $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --python-version 3.11 --universal \
	    -o requirements/$$name.txt requirements/$$name.in || exit; done

clean:
	rm -rf .venv node_modules staticfiles
