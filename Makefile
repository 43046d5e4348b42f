# Every target installs what it needs, from locked requirements, below .venv/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
include src/environment.mk

PYTHON ?= python3
VENV := .venv
UV := $(VENV)/uv/bin/uv
DEV := $(VENV)/dev/bin
SAM := $(VENV)/sam/bin/python -m local.environment $(VENV)/sam/bin/sam
TEMPLATES := template.yaml $(wildcard examples/*.yaml examples/sam/*.yaml)
ACT ?=
TOOLS := dev sam ministack checkov awscli notebook pip-audit cdk sbom workflows
CONSTRUCTS := packages/cdk
STACK ?= neptune-ml-provider
SOURCE_URL ?=
TAG ?=

.PHONY: help
help:
	@awk -F ':.*## ' '/^##@ / { print (n++ ? "\n" : "") substr($$0, 5) ":" } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

##@ For users

.PHONY: demo
demo: $(VENV)/dev.done $(VENV)/sam.done $(VENV)/ministack.done ## Watch stacks start, adopt and cancel jobs in an emulated AWS (also: ACT=pipeline)
	@$(DEV)/python -m local.demo $(ACT)

.PHONY: invoke
invoke: $(VENV)/dev.done $(VENV)/sam.done ## Run the function in its container on an event (EVENT=delete, EVENT=my/event.json)
	@$(DEV)/python -m local.invoke "$${EVENT:-}"

.PHONY: local
local: $(VENV)/dev.done $(VENV)/sam.done ## Keep the simulated cluster running, for `sam local invoke` in another terminal
	@$(DEV)/python -m local.standby

.PHONY: deploy
deploy: $(VENV)/dev.done $(VENV)/sam.done ## Deploy the provider to your account (STACK=, PARAMETERS='Name=value ...', YES=1)
	@PYTHON="$(PYTHON)" $(DEV)/python -m operate.deploy --stack "$(STACK)" --parameters "$${PARAMETERS:-}" $(if $(YES),--yes)

.PHONY: accept
accept: $(VENV)/dev.done ## Test the deployed provider on a running job, which it cancels (ENDPOINT=, JOB=)
	@PYTHONPATH=src $(DEV)/python -m operate.accept --stack "$(STACK)" --endpoint "$${ENDPOINT:-}" --job "$${JOB:-}" \
		--properties "$${PROPERTIES:-}" --type "$${TYPE:-}" --minutes "$${MINUTES:-30}" --report "$${REPORT:-}" \
		$(if $(YES),--yes)

.PHONY: logs
logs: $(VENV)/dev.done ## Follow the deployed function's log (STACK=, MINUTES=10; ALL=1 shows the raw log)
	@$(DEV)/python -m operate.logs --stack "$(STACK)" --minutes $(or $(MINUTES),10) $(if $(ALL),--all)

.PHONY: jobs
jobs: $(VENV)/dev.done ## List the jobs that the deployed provider still tracks (CANCEL=... cancels one)
	@PYTHONPATH=src $(DEV)/python -m operate.jobs --stack "$(STACK)" --cancel "$${CANCEL:-}"

.PHONY: replay
replay: $(VENV)/dev.done ## Retry the events that the deployed function could not finish (STACK=)
	@$(DEV)/python -m operate.replay --stack "$(STACK)"

##@ For contributors

# What the tests of some folders need besides the environment `dev`.
WITH_MINISTACK := tests/function tests/journal tests/operate
WITH_EVERY_TOOL := tests/e2e tests/packages tests/terraform tests/template tests/examples tests/sam_local tests/simulator
TEST_TOOLS := dev $(if $(filter $(addsuffix %,$(WITH_MINISTACK)),$(FILE)),ministack)
ifneq (,$(if $(FILE),$(filter tests tests/ $(addsuffix %,$(WITH_EVERY_TOOL)),$(FILE)),all))
TEST_TOOLS := dev sam ministack sbom awscli notebook cdk constructs
endif
# Those that need most tools wait more than they compute: they come first, and more of them at once than there are cores.
IN_ORDER = -n 4 --dist loadfile --no-loadscope-reorder \
	$(WITH_EVERY_TOOL) $(filter-out $(WITH_EVERY_TOOL),$(patsubst %/,%,$(sort $(dir $(wildcard tests/*/test_*.py)))))
QUICK := any_order docs function journal lifecycle local unit

.PHONY: quick
quick: $(VENV)/dev.done ## Find most mistakes in a minute: linters, types and the quick tests
	@$(DEV)/ruff check --quiet . && $(DEV)/ruff format --check --quiet . && $(DEV)/mypy --no-error-summary
	@$(DEV)/pytest -q -n 3 -m "not ministack and not slow" --ignore-glob "*_faults.py" $(QUICK:%=tests/%)

.PHONY: test
test: ## Run every test, or a file or test (FILE=tests/unit/test_request.py::test_name)
	@$(MAKE) -sj $(TEST_TOOLS:%=$(VENV)/%.done)
	@$(DEV)/pytest $(if $(FILE),"$$FILE",$(IN_ORDER))

.PHONY: check
check: check-code check-templates check-scripts check-github check-dependencies ## Run the linters, the type checks and the security checks

.PHONY: check-code
check-code: $(VENV)/dev.done
	@echo "ruff ..." && $(DEV)/ruff check . && $(DEV)/ruff format --check .
	@echo "mypy ..." && $(DEV)/mypy
	@echo "reference ..." && PYTHONPATH=src $(DEV)/python -m tools.reference --check

.PHONY: check-templates
check-templates: $(VENV)/dev.done $(VENV)/sam.done $(VENV)/checkov.done
	@echo "cfn-lint ..." && PYTHONPATH=packages/cfn-lint/src $(DEV)/cfn-lint --append-rules cfn_lint_neptune_ml.rules -- $(TEMPLATES)
	@echo "sam validate ..." && $(SAM) validate --lint
	@echo "checkov ..." && for template in $(TEMPLATES); do \
		echo "  $$template" && $(VENV)/checkov/bin/checkov --config-file .checkov.yaml --file "$$template"; done

.PHONY: check-scripts
check-scripts: $(VENV)/dev.done
	@echo "shellcheck ..." && $(DEV)/shellcheck .ci/*

.PHONY: check-github
check-github: $(VENV)/workflows.done
	@echo "zizmor ..." && $(VENV)/workflows/bin/zizmor --offline --pedantic --strict-collection --no-progress --quiet .
	@echo "check-jsonschema ..." && check="$(VENV)/workflows/bin/check-jsonschema --quiet --builtin-schema" && \
		$$check vendor.github-workflows .github/workflows/*.yml && \
		$$check vendor.dependabot .github/dependabot.yml && \
		$$check vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml && \
		$$check vendor.github-issue-forms .github/ISSUE_TEMPLATE/{problem,idea}.yml
	@if [[ -e $(VENV)/actionlint.done ]]; then $(MAKE) actionlint; \
	else echo "actionlint: skipped; make actionlint installs it from GitHub"; fi

.PHONY: check-dependencies
check-dependencies: $(VENV)/dev.done $(VENV)/pip-audit.done
	@$(DEV)/python -m tools.audit

.PHONY: actionlint
actionlint: $(VENV)/actionlint.done $(VENV)/dev.done
	@echo "actionlint ..." && $(VENV)/actionlint/bin/actionlint -shellcheck $(DEV)/shellcheck

.PHONY: format
format: $(VENV)/dev.done ## Format the code
	@$(DEV)/ruff format . && $(DEV)/ruff check --fix .

.PHONY: fuzz
fuzz: $(VENV)/dev.done ## Look for events that break the function (EXAMPLES=20000)
	@HYPOTHESIS_PROFILE=fuzz EXAMPLES=$${EXAMPLES:-20000} $(DEV)/pytest -n 2 --timeout 0 tests/fuzz tests/any_order

.PHONY: mutate
mutate: $(VENV)/dev.done $(VENV)/ministack.done ## Break the provider in small ways to see what its tests miss (SAMPLE=150 SEED=1)
	@PYTHONPATH=src $(DEV)/python -m tests.any_order.mutants
	@$(DEV)/python -m tools.mutate --sample $${SAMPLE:-150} --seed $${SEED:-1}

.PHONY: bench
bench: $(VENV)/dev.done $(VENV)/sam.done $(VENV)/ministack.done ## Measure the provider against plain crhelper (takes several minutes)
	@$(DEV)/python -m bench

.PHONY: probe
probe: $(VENV)/dev.done ## Compare what CloudFormation does in your account with what the project assumes
	@PYTHONPATH=src $(DEV)/python -m operate.probe --unit "$${UNIT:-10}" --report "$${REPORT:-}" $(if $(YES),--yes)

.PHONY: docs
docs: $(VENV)/dev.done ## Generate the reference, the JSON schemas, the CDK constructs and the diagrams
	@PYTHONPATH=src $(DEV)/python -m tools.reference

.PHONY: build
build: $(VENV)/sam.done ## Build the function's package
	@PYTHON="$(PYTHON)" $(SAM) build

.PHONY: release
release: $(VENV)/dev.done $(VENV)/sbom.done $(VENV)/constructs.done ## Build a release in release/: packages, template, SBOM and checksums
	@PYTHON="$(PYTHON)" $(DEV)/python -m tools.release --source-url "$(SOURCE_URL)" --tag "$(TAG)"

.PHONY: constructs
constructs: release ## Build the CDK packages for npm and PyPI, and the rest of a release

.PHONY: lock
lock: $(VENV)/uv.done ## Update every dependency to its newest version
	@for name in src/requirements requirements/uv requirements/actionlint requirements/lambda $(TOOLS:%=requirements/%); do \
		echo "Locking $$name.txt ..."; \
		$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-emit-find-links --upgrade "$$name.in" -o "$$name.txt"; \
	done
	@if command -v npm >/dev/null; then \
		echo "Locking $(CONSTRUCTS)/package-lock.json ..."; \
		cd $(CONSTRUCTS) && npm update --package-lock-only --no-audit --no-fund --silent; \
	else echo "npm is not installed: $(CONSTRUCTS)/package-lock.json is unchanged"; fi

.PHONY: install
install: $(TOOLS:%=$(VENV)/%.done) $(VENV)/constructs.done ## Install every tool now (each target installs what it needs by itself)

.PHONY: clean
clean: ## Remove everything that was installed or built
	@rm -rf .aws-sam .venv release .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage*

# --- environments -----------------------------------------------------------------------------------------------------

$(VENV)/uv.done: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; name another one with: make PYTHON=python3.13 ...")'
	@echo "Installing uv ..."
	@rm -rf $(VENV)/uv
	@$(PIP) install --quiet --require-hashes --target $(VENV)/uv -r $<
	@[[ -x $(UV) ]] || { echo "error: pip has not installed uv into $(VENV)/uv: its own settings (pip config list) say otherwise" >&2; exit 1; }
	@touch $@

# One environment a tool: their pinned dependencies exclude each other.
$(VENV)/%.done: requirements/%.txt $(VENV)/uv.done
	@echo "Installing $* ..."
	@$(UV) venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)/$*
	@$(UV) pip install --quiet --python $(VENV)/$* --require-hashes -r $<
	@$(VENV)/$*/bin/python -c 'import importlib.metadata, sys; sys.exit(not any(importlib.metadata.distributions()) and "error: uv has not installed $* into $(VENV)/$*: its own settings (uv.toml) say otherwise")'
	@touch $@

# What builds the CDK package: nothing else needs Node.js, so without it only that package's tests are skipped.
$(VENV)/constructs.done: $(CONSTRUCTS)/package.json $(CONSTRUCTS)/package-lock.json $(CONSTRUCTS)/.npmrc
	@echo "Installing constructs ..."
	@rm -rf $(VENV)/constructs && mkdir -p $(VENV)/constructs && cp $^ $(VENV)/constructs
	@if npm ci --prefix $(VENV)/constructs --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null; then \
		touch $@; \
	else echo "npm could not install what builds the CDK package: its tests will be skipped"; fi

.PRECIOUS: $(VENV)/%.done
