#!/usr/bin/env bash
# Compares what a branch changes on this machine, both sides in turns, and says whether it may go in.
#
#   ci/bench/gate.sh BASE HEAD [OPTION...]    options of `convbench gate`
#
# HEAD is compared with the commit at which it left BASE. The working tree must be HEAD's: it has the
# benchmarks. Needs the whole history, and no secret.
#
# Exit code: 0 open, 1 closed by a confirmed regression, 2 no answer. In $CONVBENCH_OUTPUT (convbench-gate/)
# stand gate.json, gate.md, gate.xml (JUnit) and blocks.json, from which the verdicts follow.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=ci/bench/settings.sh
. ci/bench/settings.sh

say() { printf '%s\n' "$*" >&2; }

[ $# -ge 2 ] || { say "gate.sh: give BASE and HEAD"; exit 2; }
wanted_base=$1 wanted_head=$2
shift 2
out=${CONVBENCH_OUTPUT:-convbench-gate}
mkdir -p "$out"
rm -f "$out"/gate.* "$out"/blocks.json

head=$(git rev-parse --verify --end-of-options "$wanted_head^{commit}") || exit 2
if ! base=$(git merge-base "$wanted_base" "$head"); then
  say "gate.sh: $wanted_base and $wanted_head have no common commit here; fetch the whole history"
  exit 2
fi
if [ "$base" = "$head" ]; then
  say "gate.sh: $wanted_head has nothing that $wanted_base has not; nothing to compare"
  exit 0
fi

code=0
convbench gate "$base" "$head" --config "$asv_config" "${gate_options[@]}" "$@" \
  --json "$out/gate.json" --markdown "$out/gate.md" --junit "$out/gate.xml" \
  --annotations "$out/gate.annotations" --keep "$out/blocks.json" || code=$?

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  if [ -s "$out/gate.md" ]; then
    cat "$out/gate.md" >>"$GITHUB_STEP_SUMMARY"
  else
    echo "No answer (exit code $code): the log of this job says why." >>"$GITHUB_STEP_SUMMARY"
  fi
fi
if [ -n "${GITHUB_ACTIONS:-}" ] && [ -s "$out/gate.annotations" ]; then
  cat "$out/gate.annotations"
fi
exit "$code"
