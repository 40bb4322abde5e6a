"""Checks that asv measured these BLAS builds of conda-forge, and that the guard let them pass.

python ci/conda_forge_check.py RESULTS BUILD...
"""

import json
import sys
from pathlib import Path


def main(results: str, *builds: str) -> int:
    """Say what each build's file holds; 1 when one is missing, or one of its values is."""
    found: dict[str, list[object]] = {}
    for path in sorted(Path(results).glob("*/*-*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        build = document.get("env_vars", {}).get("CONVBENCH_BLAS", "")
        libblas = document.get("requirements", {}).get("libblas", "")
        if libblas != f"*=*{build}":
            continue  # of another provider
        column = document["result_columns"].index("result")
        for row in document["results"].values():
            # null: it failed, as under a BLAS that the guard refuses.
            found.setdefault(build, []).extend(row[column] or [None])
    missing = [one for one in builds if one not in found]
    failed = [one for one, values in found.items() if any(value is None for value in values)]
    for build, values in found.items():
        print(f"{build}: {len(values)} values, {values.count(None)} failed")
    for build in missing:
        print(f"{build}: not measured", file=sys.stderr)
    return 1 if missing or failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
