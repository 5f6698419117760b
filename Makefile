# A bare `make` lists the chores. Each does all its own set-up, in .venv.
.DEFAULT_GOAL := help
.PHONY: help demo test lint types format bench fuzz study fields builds faults stack serve docs notebook picture constraints clean

export PYTHONSAFEPATH := 1
# what is installed and what is run is compiled once, not by each of the many processes that import torch
export UV_COMPILE_BYTECODE := 1
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LEDGER ?= .demo
# of the environment it is gettext's, a list of languages
SPOKEN := $(if $(filter command,$(origin LANGUAGE)),$(LANGUAGE),zh)
PORT ?= 8400
PYTEST ?=
AZURITE := 3.35.0
MLFLOW := 3.17.2
LOOPS := accelerate==1.15.0 lightning-fabric==2.6.6 lightning-utilities==0.15.3

help: ## list the chores
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## the main job on real German credit data, told as a story (LANGUAGE=en for English)
	@$(BIN)/python -m lepton_ai.demo --home $(LEDGER) --lang $(SPOKEN)

test: $(VENV)/.dev ## all tests
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m "not study" $(PYTEST)

lint: $(VENV)/.dev types ## style, layers and types
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/lint-imports --no-logo

types: $(VENV)/.dev ## pyright, strict; of what is run by hand alone, its calls
	@$(BIN)/pyright
	@$(BIN)/pyright -p tests/faults

format: $(VENV)/.dev ## put the code into the house's form
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

bench: $(VENV)/.dev $(VENV)/.peers ## every figure beside its peer's, into docs/benchmarks.md
	@PYTHONSAFEPATH= $(BIN)/python bench/run.py

fuzz: $(VENV)/.dev ## the property tests with many more examples
	@$(BIN)/python -m pytest -m "not study" --hypothesis-profile=fuzz $(PYTEST)

study: $(VENV)/.dev ## how often statistics raise false alarms, and what their intervals cover
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m study -rP $(PYTEST)

fields: $(VENV)/.dev ## the twelve tasks of four fields beside named baselines, into docs/fields.md (TASKS="credit risk")
	@PYTHONSAFEPATH= $(BIN)/python -m tests.fields

builds: $(VENV)/.dev ## lepton build beside other searches, into docs/builds.md (QUESTIONS="credit", BUDGET=60, AUTOGLUON=python)
	@PYTHONSAFEPATH=1 $(BIN)/python -m lepton_ai.tests.compared

faults: $(VENV)/.dev ## have everything go wrong on purpose, and see that nothing is lost (CHAPTERS=, KILLS=, SEED=)
	@PYTHONSAFEPATH= $(BIN)/python -m tests.faults

stack: $(VENV)/.dev ## the whole ledger with Kafka, PostgreSQL and S3, without Docker, until Ctrl-C; goes on where it stopped
	@PYTHONSAFEPATH= $(BIN)/python -m tests.stack

serve: $(VENV)/.dev ## the nearest ledger over HTTP on 127.0.0.1:8400, until Ctrl-C (PORT=)
	@PYTHONSAFEPATH= $(BIN)/lepton serve --port $(PORT)

docs: $(VENV)/.dev ## the generated pages: schemas, views, commands
	@$(BIN)/python -m lepton_ai.events.schemas docs/events
	@$(BIN)/python -m lepton_ai.projections.columns
	@sed -i '/^| role |/,$$d' docs/kafka.md && $(BIN)/python -m lepton_ai.events.kafka.acls >> docs/kafka.md
	@$(BIN)/python -m lepton_ai.cli.reference > docs/cli.md
	@$(BIN)/python -m lepton_ai.web.openapi > docs/openapi.json
	@sed -i '/^| better |/,$$d' docs/metrics.md && $(BIN)/python -c 'from lepton_ai.domain.model.metric import tables; print(tables(), end="")' >> docs/metrics.md

notebook: $(VENV)/.dev ## examples/first-steps.ipynb, run from top to bottom
	@$(BIN)/python -m pytest tests/test_examples.py

picture: $(VENV)/.dev ## the README's picture of the page, docs/pictures/page.webp
	@PYTHONSAFEPATH= $(BIN)/python -m tests.picture

constraints: $(VENV)/.uv ## the pinned versions of all dependencies
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --all-extras --group dev --no-emit-index-url \
		--no-annotate --custom-compile-command "make constraints" pyproject.toml -o constraints.txt

clean: ## remove what was built, the demo's ledger and the stack's
	@[ ! -L .stack ] || rm -rf "$$(readlink .stack)"
	@rm -rf .stack $(VENV) .demo .fields build dist *.egg-info .pytest_cache .ruff_cache .hypothesis

$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lepton needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'uv>=0.8,<1'
	@touch $@

# what it needs would not go beside Lepton's own
$(VENV)/.peers: $(VENV)/.uv Makefile
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(VENV)/peers/mlflow
	@$(BIN)/uv pip install -q --python $(VENV)/peers/mlflow/bin/python mlflow==$(MLFLOW)
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --target $(VENV)/peers/training $(LOOPS)
	@touch $@

$(VENV)/.demo: $(VENV)/.uv pyproject.toml constraints.txt
	@echo "installing into $(VENV) (torch is large: up to some minutes the first time)"
	@$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.uv pyproject.toml constraints.txt
	@echo "installing into $(VENV) (torch is large: up to some minutes the first time)"
	@$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[build,demo,estimators,ml-dtypes,postgres,kafka,cloud,observe,plot,ray,search,web]' --group dev
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/azurite azurite@$(AZURITE) \
		|| echo "npm could not install Azurite: the tests of Azure are skipped"
	@touch $@ $(VENV)/.demo
