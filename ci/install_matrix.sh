#!/usr/bin/env bash
# Builds wheel and sdist, and installs them in a clean environment of every interpreter: what a
# user gets from `pip install convbench` is a command that turns asv's results into pages.
#
#   ci/install_matrix.sh                      python3.11 to python3.14, of those on PATH
#   ci/install_matrix.sh PYTHON...            these interpreters
#
# PIP_INSTALL="--no-index --find-links DIR" and the like go to every installation.
# DIST=DIR keeps what was built. Exit code: 0 all work, 1 one does not, 2 nothing could be tried.
set -euo pipefail
cd "$(dirname "$0")/.."
project=$PWD
minors=(3.11 3.12 3.13 3.14)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a pip_options <<<"${PIP_INSTALL:-}"
mkdir -p "${DIST:=$work/dist}"
dist=$(cd "$DIST" && pwd)
# Nothing of the caller's may be found in place of what is installed.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*" >&2; }

clean() { # the environment variables of a user who has just logged in, and the shared cache of pip
  env -u XDG_CACHE_HOME -u XDG_CONFIG_HOME HOME="$work/home" PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CACHE_DIR="$work/pip" "$@"
}

build() { # DIRECTORY: both distributions of what git knows, in the state it has here
  mkdir -p "$work/tree" "$1"
  git ls-files -z | tar --null --files-from=- --create | tar --extract --directory "$work/tree"
  # The wheel from the sdist, so that an sdist which lacks something can't pass.
  (cd "$work/tree" && clean "$work/tools/bin/python" -m build --no-isolation --outdir "$1" .) \
    >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 2; }
  rm -rf "$work/tree"
}

build_twice() { # the same bytes, whenever and wherever they are built from a commit
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
  export SOURCE_DATE_EPOCH
  build "$dist"
  build "$work/again"
  for file in "$work"/again/*; do
    cmp "$file" "$dist/${file##*/}" || { say "two builds differ: ${file##*/}"; exit 1; }
  done
  say "built twice, the same bytes:"
  (cd "$dist" && sha256sum convbench-*) >&2
}

results() { # PYTHON DIRECTORY: a small asv results directory, of two commits
  "$1" - "$2" "$project/tests/results" <<'PYTHON'
import sys
from pathlib import Path

folder, tests = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, tests)
from asv_tree import benchmark, result_file, row, write_source

commits = {"a": 1_690_000_000_000, "b": 1_690_100_000_000}
files = {
    f"box/{letter * 8}-py.json": result_file(
        {"suite.time_it": row([0.1, 0.2], [["1", "2"]])}, commit_hash=letter * 40, date=date
    )
    for letter, date in commits.items()
}
write_source(folder, files, benchmark("suite.time_it", ["n"]))
PYTHON
}

use() { # COMMAND: the command, and README's two lines; && because `if` switches `set -e` off
  clean "$1" --version &&
    clean "$1" --help &&
    clean "$1" collect results/ --store store/ &&
    clean "$1" report store/ &&
    test -s reports/site/index.html &&
    grep -q "suite.time_it" reports/site/index.html
}

try() { # PYTHON KIND FILE: one row of the table
  local place="$work/place" python version started seconds size ok=no
  python=$1
  rm -rf "$place" "${work:?}/home"
  mkdir -p "$place" "$work/home"
  version=$("$python" -c 'import platform; print(platform.python_version())')
  say "Python $version ($python): the $2"
  "$python" -m venv "$place/env"
  started=$(date +%s.%N)
  if clean "$place/env/bin/python" -m pip install --quiet "${pip_options[@]}" "$3" >"$place/log" 2>&1; then
    seconds=$(awk -v from="$started" -v to="$(date +%s.%N)" 'BEGIN { printf "%.0f", to - from }')
    size=$(du -sm "$place/env" | cut -f1)
    results "$place/env/bin/python" "$place/results"
    if (cd "$place" && use "$place/env/bin/convbench") >>"$place/log" 2>&1; then
      ok=yes
    fi
  fi
  [ $ok = yes ] || { failed=1 && tail -20 "$place/log" >&2; }
  table+=("$version|$2|${seconds:--}|${size:--}|$ok")
}

pythons=("$@")
absent=()
if [ ${#pythons[@]} -eq 0 ]; then
  for minor in "${minors[@]}"; do
    if command -v "python$minor" >/dev/null; then
      pythons+=("$(command -v "python$minor")")
    else
      absent+=("$minor")
    fi
  done
fi
[ ${#pythons[@]} -gt 0 ] || { say "no python${minors[0]} to python${minors[-1]} on PATH; give interpreters"; exit 2; }

if compgen -G "$dist/convbench-*" >/dev/null; then
  say "DIST=$DIST holds distributions already; give an empty folder"
  exit 2
fi

"${pythons[0]}" -m venv "$work/tools"
clean "$work/tools/bin/python" -m pip install --quiet "${pip_options[@]}" build flit_core
build_twice
wheel=$(echo "$dist"/convbench-*.whl)
sdist=$(echo "$dist"/convbench-*.tar.gz)

failed=0
table=()
try "${pythons[0]}" sdist "$sdist"
for python in "${pythons[@]}"; do try "$python" wheel "$wheel"; done

printf '%-10s %-6s %8s %6s  %s\n' Python from seconds MB works
for row in "${table[@]}"; do
  IFS='|' read -r version kind seconds size ok <<<"$row"
  printf '%-10s %-6s %8s %6s  %s\n' "$version" "$kind" "$seconds" "$size" "$ok"
done
for minor in "${absent[@]}"; do
  printf '%-10s not found here: the matrix of continuous integration has it\n' "$minor"
done
exit $failed
