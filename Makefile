# Everything runs in .venv, which the first target that needs it builds.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo model test test-fast lint coverage clean

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: setup
	$(BIN)/zoolens demo

# The bundled model again, from nothing, in hours; models/README.md tells what it came to.
# First small pictures of many galaxies, then larger ones of the first 20,000 of them.
BUILD := model-build
SKY := --seed 1 --many-votes 200 --share-many 1 --misvote-rate 0
model: setup
	$(BIN)/zoolens simulate $(BUILD)/small -n 32000 --size 128 $(SKY)
	$(BIN)/zoolens ingest $(BUILD)/small/votes.csv --catalog $(BUILD)/small.duckdb
	$(BIN)/zoolens train $(BUILD)/coarse --catalog $(BUILD)/small.duckdb --held-out 0.05 \
		--architecture resnet10t --size 97 --epochs 6 --learning-rate 2e-3
	$(BIN)/zoolens simulate $(BUILD)/large -n 20000 --size 192 $(SKY)
	$(BIN)/zoolens ingest $(BUILD)/large/votes.csv --catalog $(BUILD)/large.duckdb
	$(BIN)/zoolens train $(BUILD)/fine --catalog $(BUILD)/large.duckdb --held-out 0.05 \
		--encoder $(BUILD)/coarse/model.safetensors --size 160 --epochs 2 --learning-rate 6e-4
	cp $(BUILD)/fine/model.safetensors models/gzd5-simulated.safetensors

test: setup lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-fast: setup
	$(BIN)/python -m pytest -n 2 -m "not slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

coverage: setup
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

clean:
	rm -rf .venv zoolens-demo $(BUILD) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
