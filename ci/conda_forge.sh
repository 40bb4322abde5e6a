#!/usr/bin/env bash
# `asv run -E rattler` against conda-forge itself, and that the BLAS which ran is the one it is filed under.
#
#   ci/conda_forge.sh [REGEX]    benchmarks to run
#
# Needs conda-forge; nothing of this ran where the project is developed, which reaches no conda channel.
# The tests run the same on a local channel (tests/conda).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=ci/bench/settings.sh
. ci/bench/settings.sh
bench=${1:-"^run\.Float32\..*'im2col', 'question'"}

asv --config "$asv_config" machine --yes
# The guard fails a benchmark in a process that mapped another library than the environment's name says.
asv --config "$asv_config" run -E rattler --quick --show-stderr --bench "$bench" 'HEAD^!'
python ci/conda_forge_check.py "$asv_results" openblas mkl
