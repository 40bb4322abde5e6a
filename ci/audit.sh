#!/usr/bin/env bash
# Looks for known faults: in the locked dependencies (asks PyPI's advisories), and in the workflows.
set -euo pipefail
cd "$(dirname "$0")/.."

make .venv/installed-test
code=0
for lock in requirements.lock requirements-test.lock; do
  echo "== $lock"
  .venv/bin/pip-audit --requirement "$lock" --require-hashes --disable-pip --progress-spinner off || code=1
done
.venv/bin/zizmor --offline --persona pedantic .github/workflows || code=1
exit "$code"
