# What the scripts in this folder need to know of the project; they read it, nothing runs it.
# shellcheck shell=bash disable=SC2034

# asv's configuration, from the repository's top, and what it says: its project and its results_dir.
asv_config=asv.conf.json
asv_project=convbench
asv_results=results/asv

# Of `convbench gate`, for a pull request: the whole suite has thousands of cells. These are the strategies
# on the question's problem and on one layer of ResNet, in 20 minutes.
gate_options=(--budget-minutes 20 --bench "^run\.Float32\..*'(question|resnet50_conv2_3x3)'")

# What install.sh made goes first.
if [ -d "$PWD/.venv/bin" ]; then
  PATH=$PWD/.venv/bin:$PATH
fi
# Without bytecode every start of Python would compile what it imports again.
unset PYTHONDONTWRITEBYTECODE
