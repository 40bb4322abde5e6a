#!/usr/bin/env bash
# Installs convbench and asv into a folder of their own, where settings.sh looks for them. Benchmarks run
# in environments that asv makes; the project itself is not installed here.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 -m venv .asv/tools
.asv/tools/bin/python -m pip install --quiet --disable-pip-version-check "convbench[measure]==@VERSION@"
