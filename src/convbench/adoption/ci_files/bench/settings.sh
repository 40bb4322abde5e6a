# What the scripts in this folder need to know of the project; they read it, nothing runs it.
# shellcheck shell=bash disable=SC2034

# asv's configuration, from the repository's top, and what it says: its project and its results_dir.
asv_config=@CONFIG@
asv_project=@PROJECT@
asv_results=@RESULTS@

# Of `convbench gate`, for a pull request; convbench.toml beside asv's configuration may say more.
gate_options=(--budget-minutes 20)

# What install.sh made goes first.
if [ -d "$PWD/.asv/tools/bin" ]; then
  PATH=$PWD/.asv/tools/bin:$PATH
fi
# Without bytecode every start of Python would compile what it imports again.
unset PYTHONDONTWRITEBYTECODE
