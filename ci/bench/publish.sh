#!/usr/bin/env bash
# Brings new results to the shared place, and draws the site of all results that are there.
#
#   ci/bench/publish.sh SITE [OPTION...]    the folder that gets the site; options of `convbench report`
#
# The place is $CONVBENCH_PLACE, or that of convbench.toml. $CONVBENCH_WORK (.asv/publish) keeps what was
# pulled and the store, so that the next time only what is new is read.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=ci/bench/settings.sh
. ci/bench/settings.sh
if [ -n "${GITHUB_TOKEN:-}" ]; then
  export GIT_ASKPASS=$PWD/ci/bench/askpass.sh
fi

[ $# -ge 1 ] || { echo "publish.sh: give the folder that gets the site" >&2; exit 2; }
top=$PWD
site=$(realpath --canonicalize-missing "$1")
shift
work=$(realpath --canonicalize-missing "${CONVBENCH_WORK:-.asv/publish}")
results=$top/$asv_results
place=(${CONVBENCH_PLACE:+--place "$CONVBENCH_PLACE"})
mkdir -p "$work"

cd "$(dirname "$asv_config")" # where convbench.toml and triage.toml are looked for
if [ -n "$(find "$results" -mindepth 2 -name '*.json' 2>/dev/null | head -1)" ]; then
  convbench push "$results" --project "$asv_project" "${place[@]}"
fi
convbench pull "$work/pulled" "${place[@]}"
unset GITHUB_TOKEN GIT_ASKPASS
convbench collect "$work"/pulled/* --store "$work/store" --repo "$top"
convbench detect "$work/store"
convbench report "$work/store" --output "$site" "$@"
