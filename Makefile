# Two commands do all the set-up on a machine that has Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
UV ?= uv
ARGS ?=
# Tests side by side: two for each core, for many wait for a server or a browser.
WORKERS ?= $(shell echo $$(( 2 * $$(nproc 2>/dev/null || echo 2) )))
# of make proof
N ?= 100000
KILLS ?= 200
SEED ?= 1

.PHONY: demo test lint bench proof format words constraints clean

demo: .venv/run
	$(BIN)/newsletter demo $(ARGS)

test: .venv/dev
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev
	$(BIN)/python -m bench.message
	$(BIN)/python -m bench.compile
	$(BIN)/python -m bench.check
	$(BIN)/python -m bench.freeze
	$(BIN)/python -m bench.smtp
	$(BIN)/python -m bench.startup

# Sends a campaign, kills the program again and again, and counts who got it; a small one: make proof N=2000 KILLS=10
proof: .venv/dev
	$(BIN)/python -m tests.proof --deliveries $(N) --kills $(KILLS) --seed $(SEED) $(ARGS)

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# After a change of what the program says: the list of its words, from which translators start.
words: .venv/dev
	$(BIN)/pybabel --quiet extract --mapping pyproject.toml --keyword say --no-default-keywords --no-location --sort-output \
	  --omit-header --output-file newsletter/locale/newsletter.pot newsletter layouts

# After a change of the dependencies in pyproject.toml; needs uv. The files hold versions and hashes, no index addresses.
constraints:
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra build pyproject.toml --output-file constraints.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra build --extra cluster pyproject.toml --output-file constraints-cluster.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev pyproject.toml --output-file constraints-dev.txt

.venv/run: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "newsletter needs Python 3.11 or newer: make PYTHON=python3.11 demo")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/run

.venv/dev: .venv/run constraints-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints-dev.txt
	@touch .venv/dev

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
