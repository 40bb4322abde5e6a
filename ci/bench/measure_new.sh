#!/usr/bin/env bash
# Measures the commits that this machine has not measured yet: `asv run NEW`, without Snakemake.
#
#   ci/bench/measure_new.sh [OPTION...]    options of `asv run`, as --steps 3
#
# What was measured before comes from the shared place, $CONVBENCH_PLACE (see `convbench push --help`;
# by default that of convbench.toml), so that the runner may be emptied between two nights. The first
# night measures the newest commit alone. Results lie in the results_dir of asv's configuration.
# $CONVBENCH_MACHINE names the machine (default: its host).
#
# Exit code: 0 all measured or nothing new, else asv's; what is whole can be pushed in any case.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=ci/bench/settings.sh
. ci/bench/settings.sh
if [ -n "${GITHUB_TOKEN:-}" ]; then
  export GIT_ASKPASS=$PWD/ci/bench/askpass.sh
fi

machine=${CONVBENCH_MACHINE:-$(uname -n)}
top=$PWD
# There convbench.toml is looked for.
(cd "$(dirname "$asv_config")" &&
  convbench pull "$top/.asv/shared" --as-asv ${CONVBENCH_PLACE:+--place "$CONVBENCH_PLACE"})
unset GITHUB_TOKEN GIT_ASKPASS # benchmarks have no use for them
if [ -d ".asv/shared/$machine" ]; then
  # Of this machine alone: asv takes a commit for measured that any machine in its folder has.
  mkdir -p "$asv_results/$machine"
  cp -r ".asv/shared/$machine/." "$asv_results/$machine"
  cp -n .asv/shared/benchmarks.json "$asv_results"
fi
asv --config "$asv_config" machine --yes --machine "$machine"

commits=NEW
if ! ls "$asv_results/$machine"/*-*.json >/dev/null 2>&1; then
  echo "nothing is measured on $machine yet: the newest commit comes first"
  commits='HEAD^!'
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
code=0
asv --config "$asv_config" run "$commits" --machine "$machine" --record-samples --show-stderr "$@" \
  2>&1 | tee "$log" || code=$?
if [ "$code" -eq 1 ] && grep -q "No commit hashes selected" "$log"; then
  echo "nothing new"
  code=0
fi
exit "$code"
