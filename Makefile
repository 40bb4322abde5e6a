# Two commands: `make report` measures this machine and builds the site, `make test` proves it works.
PYTHON ?= python3
# Keys of the configuration for one call: make report CONFIG="commits=10"
CONFIG ?=
# The slow tests as well: make test SLOW=1
SLOW ?=
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Without bytecode every start of Python would compile SciPy and Numba again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test check audit docs docs-links docs-pictures bench-detectors lock clean

report: .venv/installed
	snakemake --quiet host progress reason rules $(if $(CONFIG),--config $(CONFIG))
	@echo "open $(CURDIR)/reports/site/index.html"

test: .venv/installed-test
	python -m pytest -m "not alone$(if $(SLOW),, and not slow)"
	python -m pytest -m "alone$(if $(SLOW),, and not slow)" --numprocesses=0 \
		$$(grep -rl "mark\.alone" tests --include="*.py")

check: .venv/installed-test
	ruff check . && ruff format --check . && mypy
	@command -v tsc >/dev/null || { echo "make check needs tsc: apt-get install node-typescript" >&2; exit 1; }
	tsc --project tests/javascript
	snakefmt --check workflow && snakemake --lint && snakemake --lint --snakefile workflow/partitions.smk

# Known faults of the locked packages, for which the index is asked for advisories, and of the
# workflows. --strict: a package that could not be asked for is no clean one.
audit: .venv/installed-test
	for lock in requirements.lock requirements-test.lock; do \
		pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock || exit 1; \
	done
	zizmor --offline --persona pedantic .github/workflows

# Every warning is an error; the address of the published site, if it has one: DOCS_URL=https://…
SPHINX := python -m sphinx --quiet --fail-on-warning --nitpicky --keep-going
docs: .venv/installed-test
	$(SPHINX) docs docs/_build/html
	@echo "open $(CURDIR)/docs/_build/html/index.html"

docs-links: .venv/installed-test  # needs the network
	$(SPHINX) --builder linkcheck docs docs/_build/linkcheck

docs-pictures: .venv/installed-test  # after a change of the pages; needs Debian's chromium
	python tests/documentation/draw_pictures.py

# Our detector beside the peers as installed, in an environment of their own; arguments of the
# command: make bench-detectors BENCH="--goals"
BENCH ?= --quick
bench-detectors: .venv-detectors/installed
	.venv-detectors/bin/python -m pytest tests/stats/bench/test_bench_peers.py
	.venv-detectors/bin/convbench bench-detectors $(BENCH)

# Half of an installation is compiling modules that are never imported: --no-compile.
INSTALL := python -m pip install --quiet --disable-pip-version-check --no-compile
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

.venv/installed-test: .venv/installed requirements-test.lock
	$(INSTALL) --require-hashes -r requirements-test.lock
	touch $@

.venv-detectors/installed: requirements-detectors.lock pyproject.toml
	$(PYTHON) -m venv .venv-detectors
	.venv-detectors/bin/$(INSTALL) --require-hashes -r requirements-detectors.lock
	.venv-detectors/bin/$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

# Pinned with hashes and without index addresses, so that any index serves them. Needs uv.
LOCK := uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --upgrade \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --no-annotate --no-header
lock:
	$(LOCK) --extra measure --extra slurm --extra s3 --extra test --extra docs --extra audit \
		-o requirements-test.lock
	$(LOCK) --extra measure --constraint requirements-test.lock -o requirements.lock
	# By itself: Otava wants an older SciPy.
	$(LOCK) --extra test --extra detectors -o requirements-detectors.lock

clean:  # results/ stays: measurements are inputs, not products
	rm -rf reports/site docs/_build .snakemake .venv .venv-detectors
