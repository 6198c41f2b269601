PYTHON ?= python3
BIN := .venv/bin
OUT ?= results

.PHONY: identifiability test lint clean

identifiability: .venv/installed
	$(BIN)/python -m scmlab.experiments identifiability --out $(OUT)

test: .venv/installed lint
	$(BIN)/python -m pytest -n auto

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "scmlab needs Python >= 3.11; got " + sys.version.split()[0] + "; set PYTHON to a newer one.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf .venv results
