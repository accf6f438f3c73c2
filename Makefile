# Two commands do everything on a fresh machine with Python 3.11, git and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
UV := .uv/bin/uv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SPARK := .venv-spark
DEMO_DIR ?= demo
PEOPLE ?= 6000
TIMES ?= 20
# How many lives of a community `make test-nights` tries: to lake and linkage, and to the release.
NIGHTS ?= 100
WHOLE_NIGHTS ?= 10
# Whom `make audit` asks: pypi or osv.
SERVICE ?= pypi
# Which dependency groups to install; production wants `--no-dev`.
GROUPS ?= --all-groups --no-group fuzz --no-group spark
# For how long `make fuzz` works on each target.
SECONDS ?= 600
FUZZ := build/fuzz/venv

export DAGSTER_DISABLE_TELEMETRY := yes
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help install demo test test-nights lint system lock sbom audit faults fuzz serve superset test-superset clean

help: ## What can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(UV):
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet uv

# The lock names versions and hashes but no index, so the machine's own index settings apply. Bytecode is compiled
# once: where Python may not write it later, each start would compile everything again, 7 seconds of it.
$(STAMP): $(UV) pyproject.toml uv.lock
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@mkdir -p build
	$(UV) export --quiet --frozen $(GROUPS) --no-emit-project --no-annotate --no-header --output-file build/requirements.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --compile-bytecode --require-hashes build/requirements.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@touch $@

install: $(STAMP) ## Install Throughline and its locked dependencies into .venv.

demo: install ## Make the sample community, run its night to a published release and report card.
	$(BIN)/throughline demo --people $(PEOPLE) --dir $(DEMO_DIR)

test: install system ## Install what the tests need and run them all.
	$(BIN)/python -m pytest -n 2 --dist loadgroup

system: ## Debian packages that some tests need: Chromium (report card) and PostgreSQL (publishing).
	@scripts/install_system_packages

lint: install ## Linters, type checks, import and layer rules, and no secret in a file.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_dbt_layers.py
	$(BIN)/python scripts/make_schemas.py --check
	$(BIN)/python scripts/check_secrets.py

lock: $(UV) ## Lock the newest allowed dependencies again.
	$(UV) lock --upgrade
	$(PYTHON) scripts/strip_lock.py

sbom: $(UV) ## List every locked package in build/throughline.cdx.json (CycloneDX), for a release.
	@mkdir -p build
	$(UV) export --quiet --frozen --all-groups --no-group spark --format cyclonedx1.5 --output-file build/throughline.cdx.json
	$(UV) export --quiet --frozen --no-dev --group spark --format cyclonedx1.5 --output-file build/throughline-spark.cdx.json

audit: install ## Known vulnerabilities of locked packages; needs a vulnerability service (SERVICE=pypi or osv).
	$(BIN)/python scripts/audit_packages.py build/requirements.txt $(SERVICE)

faults: install system ## The fault table: kills, full disks, damage, lost servers; hundreds of trials, hours.
	@mkdir -p build
	$(BIN)/python -m tests.faults --times $(TIMES) --json build/faults.json

test-nights: install ## Many lives of a community in any order of drops, kills, withdrawals and configurations; hours.
	NIGHTS=$(NIGHTS) WHOLE_NIGHTS=$(WHOLE_NIGHTS) $(BIN)/python -m pytest -n 0 \
		tests/end_to_end/many_nights.py tests/end_to_end/whole_nights.py

fuzz: $(UV) ## Fuzz every reader, SECONDS=600 each, in an environment of its own; exit code 1 after a fault.
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(FUZZ)
	$(UV) export --quiet --frozen --no-dev --group fuzz --no-emit-project --no-annotate --no-header --output-file build/fuzz/requirements.txt
	VIRTUAL_ENV=$(FUZZ) $(UV) pip sync --quiet --require-hashes build/fuzz/requirements.txt
	VIRTUAL_ENV=$(FUZZ) $(UV) pip install --quiet --no-deps --editable .
	$(FUZZ)/bin/python -m tests.fuzz --seconds $(SECONDS)

SUPERSET := .venv-superset

$(SUPERSET)/.installed: $(UV) deploy/superset/requirements.txt
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(SUPERSET)
	VIRTUAL_ENV=$(SUPERSET) $(UV) pip sync --quiet --require-hashes deploy/superset/requirements.txt
	@touch $@

superset: $(SUPERSET)/.installed ## Start Superset, in an environment of its own, on loopback.
	deploy/superset/start.sh build/superset

test-superset: install system $(SUPERSET)/.installed ## Load the shipped dashboard into a real Superset and compare its answers.
	$(BIN)/python -m pytest -n 0 tests/deploy/superset_answers.py

spark: $(SPARK)/.installed ## Throughline with PySpark in .venv-spark (and Java), for nights on a Spark cluster.

# Splink's Spark dialect is an interpreted class, which the compiled sqlglot refuses as a child.
$(SPARK)/.installed: $(UV) pyproject.toml uv.lock scripts/install_java
	@scripts/install_java
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(SPARK)
	@mkdir -p build/spark
	$(UV) export --quiet --frozen --no-dev --group spark --no-emit-project --no-annotate --no-header --output-file build/spark/requirements.txt
	VIRTUAL_ENV=$(SPARK) $(UV) pip sync --quiet --require-hashes build/spark/requirements.txt
	VIRTUAL_ENV=$(SPARK) $(UV) pip uninstall --quiet sqlglotc sqlglotrs
	VIRTUAL_ENV=$(SPARK) $(UV) pip install --quiet --no-deps --editable .
	@touch $@

test-spark: spark ## A night and its linkage on a real standalone master with two workers on loopback.
	$(SPARK)/bin/python -m pytest -s tests/spark

serve: install ## Open the Dagster UI of the demo community.
	$(BIN)/throughline serve --dir $(DEMO_DIR)

clean: ## Remove what was built; the demo community included.
	rm -rf build $(DEMO_DIR) dbt_project/target .pytest_cache .mypy_cache .ruff_cache
