PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test bench check docs clean

demo: .venv/installed
	$(BIN)/xinr demo

# One thread a process: the tests run side by side.
test: .venv/installed
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

# All ratios of speed in one table.
bench: .venv/installed
	$(BIN)/python -m tests.benchmarks.ratios

docs: .venv/installed
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m sphinx --quiet -b html docs docs/_build/html

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' || \
		{ echo "xinr needs Python 3.12 or newer, got $$($(PYTHON) --version): make PYTHON=python3.12"; exit 1; }
	@echo "Installing into .venv: some gigabytes with torch, a few minutes"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

clean:
	rm -rf .venv demo
