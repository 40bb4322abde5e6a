#!/usr/bin/env bash
# Measures the commits that no run has measured on this machine yet: `asv run NEW`, without Snakemake.
#
#   ci/bench/measure_new.sh [OPTION...]    options of `asv run`, as --steps 3
#
# What was measured before comes from the shared place, $CONVBENCH_PLACE (see `convbench push --help`;
# by default that of convbench.toml), so that the runner may be emptied between two nights. Results lie
# in the results_dir of asv's configuration. $CONVBENCH_MACHINE names the machine (default: its host).
#
# Exit code: 0 all measured or nothing new, 2 a benchmark or a build failed; what is whole can be pushed.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=ci/bench/settings.sh
. ci/bench/settings.sh

machine=${CONVBENCH_MACHINE:-$(uname -n)}
convbench pull "$asv_results" --as-asv ${CONVBENCH_PLACE:+--place "$CONVBENCH_PLACE"}
asv --config "$asv_config" machine --yes --machine "$machine"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
asv --config "$asv_config" run NEW --machine "$machine" --record-samples --show-stderr "$@" 2>&1 |
  tee "$log" || code=$?
# asv's exit code 1 says that there was nothing to do, too.
if [ "$code" -eq 1 ] && grep -q "No new commits\|No commit hashes selected" "$log"; then
  code=0
fi
exit "$code"
