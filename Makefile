# Every target sets up what it needs: `make run-local` and `make test` are all that a fresh machine takes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: setup lock run-local check test-fast test test-containers test-kubeflow lint bench bench-quality bench-full bench-faults bench-gpu inspect report serve sample-data \
	datasplit compile submit image docs clean help

WORKDIR ?= runs/local
PYTHON ?=
py := .venv/bin/python

# A variable's value as one word of the shell, whatever is in it: make expands no dollar of it, and the shell no blank,
# quote or star; a leading ~/ is still the home folder. A line's end can't be in it, so it marks the beginning.
define newline


endef
quoted = $(subst $(newline),',$(subst $(newline)~/,~/',$(newline)$(subst ','\'',$(1))))'
arg = $(call quoted,$(value $(1)))
arg_or = $(if $(value $(1)),$(call arg,$(1)),$(2))
run_options = $(if $(value CONFIG),--config $(call arg,CONFIG)) $(if $(value DATA),--data $(call arg,DATA))

setup: .venv/.ready ## Make .venv with the newest Python and packages this machine can install (PYTHON=python3.x overrides)

.venv/.ready: requirements/py310.txt requirements/py311.txt requirements/install.sh
	@PYTHON=$(call arg,PYTHON) requirements/install.sh

# A .venv is replaced where an interpreter is named and isn't the one in it.
ifneq ($(value PYTHON),)
ifneq ($(shell $(call arg,PYTHON) -V 2>&1),$(shell .venv/bin/python -V 2>&1))
.venv/.ready: FORCE
endif
endif
# So is one that was moved, whose commands and packages name their old place, or whose Python is gone.
ifneq ($(wildcard .venv/.ready),)
ifneq ($(shell { . .venv/bin/activate && [ "$$VIRTUAL_ENV" -ef .venv ] && .venv/bin/python -c ''; } 2>&1 && echo works),works)
.venv/.ready: FORCE
endif
endif
FORCE:

lock: setup ## Resolve the dependencies into requirements/py310.txt and py311.txt (ARGS=--upgrade)
	requirements/lock.sh .venv/bin/uv $(ARGS)

run-local: setup ## Run the pipeline here (DATA=folder CONFIG=file WORKDIR=folder ARGS="…"; sample data by default)
	$(py) -m pipeline run --workdir $(call arg,WORKDIR) $(run_options) $(ARGS)

# Files side by side, as many as there are cores and memory for: tests/conftest.py counts.
pytest := $(py) -m pytest -n auto --dist loadfile --no-loadscope-reorder
fast := -m "not e2e and not training and not containers and not kubeflow"

check: lint ## Lint, and run the tests that need no TensorFlow: before each commit
	$(pytest) --light $(fast) $(ARGS)

test-fast: setup ## Run the tests but for whole trainings and pipelines
	$(pytest) $(fast) $(ARGS)

test: setup ## Run the tests (ARGS="…" goes to pytest)
	$(pytest) $(ARGS)

lint: setup ## Check format, lint, types and layers
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup ## Measure augmentation, training, serving over HTTP and without, inspect, launch overhead and imports against what they could be
	$(py) tests/benchmarks/augment.py $(ARGS)
	$(py) tests/benchmarks/training.py
	$(py) tests/benchmarks/serving.py
	$(py) tests/benchmarks/inspect_store.py
	$(py) tests/benchmarks/launch.py 2>/dev/null
	$(py) tests/benchmarks/imports.py 2>/dev/null

bench-quality: setup ## How well it learns: three seeds on the sample and on digits, planted wrong labels found
	$(py) tests/benchmarks/sample_accuracy.py
	$(py) tests/benchmarks/seeds.py
	$(py) tests/benchmarks/seeds.py --data digits
	$(py) tests/benchmarks/planted_labels.py

bench-full: setup ## The whole pipeline at AffectNet's size: seconds and memory of each component
	$(py) tests/benchmarks/full_pipeline.py $(ARGS)

bench-faults: setup ## Kills, two at once, damaged and missing files, full disks: what survives (ARGS="--scale 0.1 --only splits")
	$(py) tests/benchmarks/faults.py $(ARGS)

bench-gpu: setup ## How well a GPU is used: steps, whole trainings, PyTorch, input, serving (ARGS="--device cpu --quick")
	$(py) tests/benchmarks/gpu.py $(ARGS)

inspect: setup ## List runs, executions and artifacts from ML Metadata (ARGS="executions latest")
	@$(py) -m pipeline inspect $(ARGS) --workdir $(call arg,WORKDIR)

report: setup ## Print the path of the latest report (ARGS=--open opens it)
	@$(py) -m pipeline report --workdir $(call arg,WORKDIR) $(ARGS)

serve: setup ## Answer over HTTP with the newest pushed model (WORKDIR=folder ARGS="--port 8501")
	@$(py) -m pipeline serve --model $(call arg,WORKDIR)/serving_model $(ARGS)

sample-data: setup ## Draw the sample faces (OUTPUT=folder)
	$(py) -m pipeline sample-data $(call arg_or,OUTPUT,runs/sample-data) $(ARGS)

datasplit: setup ## Split, balance and augment a folder (ARGS="--balance path")
	$(py) -m components.datasplit $(ARGS)

docs: setup ## Write what follows from the code: default.yaml, docs/configuration.md, docs/components.md
	@TF_CPP_MIN_LOG_LEVEL=3 $(py) -W ignore -m tools

compile: setup ## Compile for Kubeflow (OUTPUT=affect.yaml IMAGE=registry/name:tag CONFIG=file DATA=s3://… ARGS="--pipeline-root …")
	@$(py) -m pipeline compile --output $(call arg_or,OUTPUT,affect.yaml) $(if $(value IMAGE),--image $(call arg,IMAGE)) $(run_options) $(ARGS)

submit: setup ## Submit the compiled file (HOST=url OUTPUT=affect.yaml ARGS="--param epochs=50 --wait")
	@$(py) -m pipeline submit $(call arg_or,OUTPUT,affect.yaml) --host $(call arg_or,HOST,http://localhost:8080) $(ARGS)

image: ## Build the image (IMAGE=registry/name:tag, PUSH=1 pushes it, GPU=1 with CUDA, CONTAINER_ENGINE=docker|podman)
	@CONTAINER_ENGINE=$(call arg,CONTAINER_ENGINE) PUSH=$(call arg,PUSH) GPU=$(call arg,GPU) docker/build.sh $(call arg_or,IMAGE,facial-affect-pipeline:latest)

test-containers: setup ## Run the compiled pipeline in containers; brings up an engine where there is none (as root)
	CONTAINERS=1 $(py) -m pytest -m containers tests/containers $(ARGS)

test-kubeflow: setup ## Run the compiled pipeline through Kubeflow's driver and launcher (KFP_BIN=folder with both; as root)
	KUBEFLOW=1 KFP_BIN=$(call arg,KFP_BIN) $(py) -m pytest -m kubeflow -rs tests/kubeflow $(ARGS)

clean: ## Remove .venv, caches, the default workdir and what the benchmarks drew
	rm -rf .venv runs/local runs/sample-data runs/bench build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
