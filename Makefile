# Everything runs in .venv, which the first target that needs it builds.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo docs model bench bench-full reliability test test-fast lint coverage clean

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt \
		--editable '.[all]' --group dev
	touch $@

demo: setup
	$(BIN)/zoolens demo

# The simulated sky's model again, from nothing, in two hours of two cores; its card tells
# what it came to. First small pictures, then the survey's own size: of its galaxies, and of its nearest.
BUILD := model-build
VOTES := --many-votes 200 --share-many 1 --misvote-rate 0
TRAIN := --held-out 0.05 --architecture resnet10t
model: setup
	$(BIN)/zoolens simulate $(BUILD)/small -n 32000 --size 128 --seed 1 $(VOTES)
	$(BIN)/zoolens ingest $(BUILD)/small/votes.csv --catalog $(BUILD)/small.duckdb
	$(BIN)/zoolens train $(BUILD)/coarse --catalog $(BUILD)/small.duckdb $(TRAIN) \
		--size 97 --epochs 6 --learning-rate 2e-3
	$(BIN)/zoolens simulate $(BUILD)/all -n 12000 --seed 11 $(VOTES)
	$(BIN)/zoolens simulate $(BUILD)/near -n 8000 --seed 12 $(VOTES) \
		--magnitude-limit 16
	$(BIN)/zoolens ingest $(BUILD)/all/votes.csv --catalog $(BUILD)/large.duckdb
	$(BIN)/zoolens ingest $(BUILD)/near/votes.csv --catalog $(BUILD)/large.duckdb
	$(BIN)/zoolens train $(BUILD)/fine --catalog $(BUILD)/large.duckdb $(TRAIN) \
		--encoder $(BUILD)/coarse/model.safetensors --size 160 --epochs 6 --learning-rate 1e-3
	cp $(BUILD)/fine/model.safetensors models/gzd5-simulated.safetensors

# Beside the peers, in minutes; in full with 8.7 million galaxies too, in much memory.
bench: setup
	$(BIN)/python -m benchmarks

bench-full: setup
	$(BIN)/python -m benchmarks --full

# Jobs killed, files damaged, inputs mutated; counts go into docs/reliability.md. In about an hour.
reliability: setup
	$(BIN)/python -m reliability

test: setup lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# The data dictionary, from the views' own descriptions.
docs: setup
	$(BIN)/python -m zoolens.catalog.store.views > docs/dictionary.md

coverage: setup
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

clean:
	rm -rf .venv zoolens-demo $(BUILD) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
