# Every target installs what it needs, from locked requirements, below .venv/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
UV := $(VENV)/uv/bin/uv
DEV := $(VENV)/dev/bin

# --- environments -----------------------------------------------------------------------------------------------------

$(VENV)/uv.done: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; name another one with: make PYTHON=python3.13 ...")'
	@echo "Installing uv ..."
	@rm -rf $(VENV)/uv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --require-hashes \
		--target $(VENV)/uv -r $<
	@touch $@

# One environment a tool: their pinned dependencies exclude each other.
$(VENV)/%.done: requirements/%.txt $(VENV)/uv.done
	@echo "Installing $* ..."
	@$(UV) venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)/$*
	@VIRTUAL_ENV=$(VENV)/$* $(UV) pip install --quiet --require-hashes -r $<
	@touch $@

.PRECIOUS: $(VENV)/%.done

.PHONY: install
install: $(VENV)/dev.done $(VENV)/sam.done $(VENV)/ministack.done $(VENV)/checkov.done $(VENV)/awscli.done ## Install every tool (each target does it by itself)

.PHONY: lock
lock: $(VENV)/uv.done ## Update every dependency to its newest version
	@for name in src/requirements requirements/{uv,dev,sam,ministack,checkov,awscli,pip-audit}; do \
		echo "Locking $$name.txt ..."; \
		$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url --no-emit-find-links --upgrade "$$name.in" -o "$$name.txt"; \
	done

.PHONY: help
help: ## List what there is to do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'
