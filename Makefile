# huntgraph: every verb of the project. `make` alone lists them.
# Options: FAST=1 (leave out slow tests), DEMO_SECONDS, NAME (bench), SEED (sim), PYTHON, CARGO.
DEMO_SECONDS ?= 20
NAME ?= apply roundtrip frame quic handshake durable memory allocations
PY = .venv/bin/python
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.PHONY: help setup build demo test lint bench sim soak dist lock clean
.NOTPARALLEL:

help: ## List the verbs
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv ready: pinned packages, the Rust parts, huntgraph itself
	@tools/setup.sh

build: setup ## The same: after a change of Rust, only Rust is built again

demo: setup ## Watch a hunt run for DEMO_SECONDS (20) and prove itself
	@.venv/bin/huntgraph demo --seconds $(DEMO_SECONDS)

test: setup ## Run every check; FAST=1 leaves out the slow tests
	@$(PY) tools/check.py $(if $(FAST),--fast)

lint: setup ## Run the checks that run no test: format, lint, types, tidy
	@$(PY) tools/check.py --lint

bench: setup ## Measure: NAME="apply frame ..." chooses; JSON on stdout
	@set -e; for name in $(NAME); do .venv/bin/huntgraph bench $$name --json; done

sim: setup ## Run the simulations; SEED=n repeats one
	@$(if $(SEED),HUNTGRAPH_SEED=$(SEED)) $(PY) -m pytest tests/sim -m "not soak"

soak: setup ## Run the tests that take hours
	@$(PY) -m pytest tests -m soak

dist: setup ## Build the wheel and the source archive into dist/
	@$(PY) tools/dist.py

lock: ## Pin the packages anew (needs uv)
	@tools/setup.sh --lock

clean: ## Remove all that was built, .venv included
	rm -rf .venv build dist target src/huntgraph.egg-info src/huntgraph/_core.abi3.so
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .huntgraph
