"""Writes large asv results directories that look like real ones, seeded."""

import json
from pathlib import Path

import numpy as np

BENCHMARKS, SHAPES = 60, ["'a'", "'b'", "'c'", "'d'"]
SIZES = ["16", "32", "64", "128", "256"]
ROWS = BENCHMARKS * len(SHAPES) * len(SIZES)

COLUMNS = [
    *("result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b"),
    *("stats_q_25", "stats_q_75", "stats_number", "stats_repeat", "samples", "profile"),
]


def write_collection(folder: Path, files: int, machines: int = 1, seed: int = 0) -> Path:
    """A results directory of many commits: 1,200 rows and about 110 kB a file, no NaN."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"suite.Group{i % 6}.time_case_{i:02d}" for i in range(BENCHMARKS)]
    about = {"param_names": ["shape", "size"], "params": [SHAPES, SIZES], "type": "time"}
    about |= {"unit": "seconds", "version": "1" * 64, "timeout": 60}
    known = {name: {"name": name, "code": "def time(): pass", **about} for name in names}
    (folder / "benchmarks.json").write_text(json.dumps({**known, "version": 2}))
    for machine in range(machines):
        place = folder / f"machine-{machine}"
        place.mkdir(exist_ok=True)
        facts = {"machine": place.name, "cpu": "a cpu", "num_cpu": "8", "version": 1}
        (place / "machine.json").write_text(json.dumps(facts))
    level = generator.lognormal(-8, 1, (BENCHMARKS, len(SHAPES) * len(SIZES)))
    for number in range(files):
        commit = f"{number * 2654435761 % 2**32:08x}" + f"{number:032x}"
        path = folder / f"machine-{number % machines}" / f"{commit[:8]}-py.json"
        path.write_text(_file(commit, number, names, level, generator))
    return folder


def _file(
    commit: str, number: int, names: list[str], level: np.ndarray, generator: np.random.Generator
) -> str:
    date = 1_500_000_000_000 + number * 3_600_000
    middle = level * generator.lognormal(0, 0.02, level.shape)
    width = middle * generator.lognormal(-4, 0.5, level.shape)
    results = {}
    for i, name in enumerate(names):
        bounds = [
            [float(f"{x:.5g}") for x in middle[i] + sign * width[i]]
            for sign in (-1.0, 1.0, -0.5, 0.5)
        ]
        counts = np.maximum(0.01 / middle[i], 1).astype(int).tolist()
        start = [date + i * 1000, 1.2345, *bounds, counts, [10] * len(counts)]
        results[name] = [middle[i].tolist(), [SHAPES, SIZES], "1" * 64, *start]
    top = {"commit_hash": commit, "env_name": "virtualenv-py3.12", "date": date, "params": {}}
    top |= {"python": "3.12", "requirements": {"numpy": ""}, "env_vars": {}}
    return json.dumps(top | {"result_columns": COLUMNS, "results": results, "version": 2})
