# Photochrom's two promises: `make demo` (runtime only) and `make test` (everything).
# PIP_OPTIONS reaches every pip call, for example PIP_OPTIONS="--index-url https://…".
PYTHON ?= python3
PIP_OPTIONS ?=
BIN := .venv/bin
DEMO := .venv-demo/bin

.PHONY: demo test test-slow browser-tools lint bench results docs clean

demo: .venv-demo/ready
	@rm -rf examples/colorized && mkdir -p examples/colorized
	@$(DEMO)/photochrom colorize examples/photos -o examples/colorized --side-by-side --if-exists overwrite
	@$(DEMO)/python examples/contact_sheet.py examples/colorized

.venv-demo/ready: pyproject.toml $(shell find src -name '*.py' -o -name '*.onnx' -o -name '*.json')
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Photochrom needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv-demo
	$(DEMO)/python -m pip install --quiet $(PIP_OPTIONS) --upgrade .
	@touch $@

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Photochrom needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) --constraint constraints.txt --editable '.[dev]'
	@touch $@

# axe-core and TypeScript, for the browser tests only; where npm cannot be reached they skip and say so
browser-tools: .venv/ready
	@mkdir -p build/browser && cmp -s tests/browser/package.json build/browser/package.json \
		|| { cp tests/browser/package.json build/browser/ \
		&& (cd build/browser && PATH="$(CURDIR)/$(BIN):$$PATH" npm install --silent --no-audit --no-fund) \
		|| { rm -f build/browser/package.json; echo "npm packages for the browser tests are missing"; }; }

test: .venv/ready browser-tools lint
	$(BIN)/python -m pytest -m "not slow"

test-slow: .venv/ready
	$(BIN)/python -m pytest -m slow --timeout 3600

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# make results DATA=folder: color photos that no model here was trained on, a subfolder a source
results: .venv/ready
	$(BIN)/python docs/make_results.py $(DATA)

clean:
	rm -rf .venv .venv-demo build dist examples/colorized .mypy_cache .ruff_cache .pytest_cache .hypothesis
