# make test and make demo each work on a fresh machine: they build .venv themselves, with the
# versions of constraints.txt. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: test check coverage demo clean

# For pip's isolated build environments too, which -c does not reach.
export PIP_CONSTRAINT := constraints.txt

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

# Two test processes with one thread each: pools of threads would only wait for each other.
test check coverage: export OMP_NUM_THREADS = 1
test check coverage: export OPENBLAS_NUM_THREADS = 1
test check coverage: export MKL_NUM_THREADS = 1
test check coverage: export POLARS_MAX_THREADS = 1

# Everything that guards main.
test: check
	$(BIN)/python -m pytest -n 2

# The tests twice as slowly, and the lines that none of them runs.
coverage: .venv/.installed
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term

# The checks that run nothing.
check: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Fit Adult for two minutes, draw 1,000 rows, judge them. Leaves both files and report.html.
demo: .venv/.installed
	$(BIN)/synthgan fit examples/data/adult.parquet --max-seconds 120 --force
	$(BIN)/synthgan sample adult.synthgan -n 1000 -o new.parquet --force
	$(BIN)/synthgan report examples/data/adult.parquet new.parquet --target income -o report.html --force

clean:
	rm -rf .venv .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -f adult.synthgan new.parquet report.html
