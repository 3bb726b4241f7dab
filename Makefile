# Two commands do everything on a fresh machine with Python 3.11 or newer: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
DEMO := demo
PIPELINES := bronze_batch_ingestion silver_transformation gold_aggregation
# These disturb each other in nothing, and say so little of time that they run on two processors.
SIDE_BY_SIDE := $(addprefix tests/,acceptance cli config drawing exec io lineage processes report scaffold security \
  testing)

.PHONY: help demo test test-long docs notebooks format bench clean

help:
	@echo "make demo    generate a project, run bronze, silver and gold, show the gold tables"
	@echo "make test    lint, types, import rules and tests"
	@echo "make test-long   the tests with ten times as many random cases"
	@echo "make docs    write the reference pages from the code"
	@echo "make notebooks   execute the notebooks, and keep their outputs"
	@echo "make bench   benchmarks, each side by side with its reference"
	@echo "make format  format the code"
	@echo "make clean   remove what these commands made"

# The stamps remember which pyproject.toml they were installed from.
$(VENV)/.user: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tauro needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Tauro and the embedded engine into $(VENV) (some minutes, the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.user
	@echo "Installing what tests and linters need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

demo: $(VENV)/.user
	@rm -rf $(DEMO)
	@mkdir $(DEMO)
	@echo && echo "$$ tauro template --template medallion_basic --project-name demo_project"
	@cd $(DEMO) && $(BIN)/tauro template --template medallion_basic --project-name demo_project
	@echo && echo "$$ tauro config validate --env dev"
	@cd $(DEMO)/demo_project && $(BIN)/tauro config validate --env dev
	@for pipeline in $(PIPELINES); do \
	  echo && echo "$$ tauro run --env dev --pipeline $$pipeline" && \
	  (cd $(DEMO)/demo_project && $(BIN)/tauro run --env dev --pipeline $$pipeline) || exit 1; \
	done
	@echo && echo "The gold tables, read by Polars:"
	@cd $(DEMO)/demo_project/data/output/dev/gold/sales && $(BIN)/python -c "$$SHOW_TABLES" daily_revenue country_ranking

define SHOW_TABLES
import sys, polars
polars.Config.set_tbl_rows(40).set_tbl_hide_dataframe_shape().set_tbl_hide_column_data_types()
for name in sys.argv[1:]:
    print(name, polars.read_delta(name), sep="\n")
endef
export SHOW_TABLES

test: $(VENV)/.dev
	@PATH="$(BIN):$$PATH" $(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@PATH="$(BIN):$$PATH" PYTHONPATH=. $(BIN)/lint-imports --no-logo
	@failed=0; \
	$(BIN)/python -m pytest -n 2 --dist loadfile $(SIDE_BY_SIDE) || failed=1; \
	$(BIN)/python -m pytest --nbval-lax tests notebooks $(SIDE_BY_SIDE:%=--ignore=%) || failed=1; \
	exit $$failed

test-long: $(VENV)/.dev
	@TAURO_LONG_TESTS=1 $(BIN)/python -m pytest --timeout=3600

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

docs: $(VENV)/.dev
	@$(BIN)/python docs/generate.py

notebooks: $(VENV)/.dev
	@$(BIN)/python notebooks/execute.py

bench: $(VENV)/.dev
	@for program in startup load_nodes chain slots store checks streams notebook medallion polars_medallion large_medallion; do $(BIN)/python benchmarks/$$program.py || exit 1; done

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
