"""A small made-up store for tests, and for the documentation's pictures, which say it is one.

Frames follow the store's schema, so that the pages are tested without asv and without measuring.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from convbench.report.measurements import Measurements, prepare
from convbench.results.schema import empty_frame

START = pd.Timestamp("2026-01-05T10:00:00Z")
MACHINE = "made-up-machine"
BUILDS = {"openblas": "OpenBLAS 0.3.31 Haswell", "mkl": "oneMKL 2026.2"}
# strategy -> invented seconds on the question; other problems scale with their operations.
STRATEGIES = {
    "loops": 13.8e-3,
    "loops_dot": 4.1e-3,
    "scipy_correlate2d": 750e-6,
    "shifted": 31e-6,
    "einsum": 39e-6,
    "tensordot": 16e-6,
    "im2col": 11e-6,
    "fft": 196e-6,
    "numba_direct": 11.3e-6,
    "toeplitz": 900e-6,
}
FAMILIES = {"loops": "loops", "loops_dot": "loops", "fft": "fft", "toeplitz": "dense"}
# As many as a grown table has, most of them close together.
FORTY_STRATEGIES = STRATEGIES | {f"gemm_variant_{n}": 8e-6 * 1.08**n for n in range(30)}
# name -> (channels, height, width, filters, kernel, stride, groups)
PROBLEMS = {
    "question": (3, 32, 32, 10, 2, 2, 1),
    "cifar_resnet20_3x3": (16, 32, 32, 16, 3, 1, 1),
    "mobilenetv2_dw3": (32, 112, 112, 32, 3, 1, 32),
    "vgg16_conv3_2": (256, 56, 56, 256, 3, 1, 1),
}
# Problems that differ in one size alone: with them an image's side is a family.
SIDES = {f"side{size}": (16, size, size, 16, 3, 1, 1) for size in (8, 16, 64)}
CASES = ("im2col question float32", "fft question float32")
DISTURBED = "1 of 4 units, measured twice: other processes used 0.9 CPUs"
REFUSED = {
    ("toeplitz", "vgg16_conv3_2"): "its matrix would take 2.6 TB",
    ("toeplitz", "mobilenetv2_dw3"): "its matrix would take 1.3 TB",
    ("loops", "vgg16_conv3_2"): "803,000 passes of a Python loop would take minutes",
}


@dataclass
class Store:
    """The tables of a made-up store, by name."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def measurements(self, *, min_commits: int = 6, project: str = "convbench") -> Measurements:
        """Prepare the frames as `read_measurements` would."""
        tables = {
            name: self.frame(name)
            for name in (
                "benchmarks",
                "machines",
                "environments",
                "problems",
                "cells",
                "runs",
                "changes",
                "events",
            )
        }
        return prepare(
            project, self.frame("values"), self.frame("commits"), tables, min_commits=min_commits
        )

    def frame(self, name: str) -> pd.DataFrame:
        """Make a frame with the store's columns; absent ones are missing values."""
        empty = empty_frame(name)
        rows = self.rows if name == "values" else self.tables.get(name, [])
        if not rows:
            return empty
        frame = pd.DataFrame(rows, columns=empty.columns)
        text = [column for column in empty if isinstance(empty[column].dtype, pd.StringDtype)]
        return frame.astype({column: empty[column].dtype for column in text})


def commit_name(index: int) -> str:
    """Make a commit's hash."""
    return f"{index + 0xA1:08x}" + "0" * 32


def row(
    index: int,
    value: float | None,
    *,
    benchmark: str = "run.Float32.time_run",
    params: Mapping[str, str] | None = None,
    blas: str = "openblas",
    machine: str = MACHINE,
    status: str = "ok",
    unit: str = "seconds",
    width: float = 0.02,
) -> dict[str, Any]:
    """Make one row of the values."""
    params = dict(params or {})
    ok = value is not None and status == "ok"
    return {
        "project": "convbench",
        "machine": machine,
        "environment": f"virtualenv-py3.12-{blas}" if blas else "virtualenv-py3.12",
        "blas": blas,
        "blas_identity": BUILDS.get(blas, ""),
        "blas_sha256": "",
        "commit": commit_name(index),
        "commit_date": START + pd.Timedelta(days=index),
        "run": f"run-{index}",
        "benchmark": benchmark,
        "params": params,
        "strategy": params.get("strategy", ""),
        "problem": params.get("problem", ""),
        "dtype": params.get("dtype", ""),
        "threads": "1" if blas else "",
        "value": value if ok else np.nan,
        "unit": unit,
        "status": status,
        "ci_low": value * (1 - width) if ok and value is not None else np.nan,
        "ci_high": value * (1 + width) if ok and value is not None else np.nan,
        "q25": value * 0.99 if ok and value is not None else np.nan,
        "q75": value * 1.01 if ok and value is not None else np.nan,
        "number": 100,
        "repeat": 10,
        "version": "1",
        "started_at": START + pd.Timedelta(days=index, hours=1),
        "duration": 1.5,
        "source": f"run-{index}/{machine}/result.json",
    }


def convolution_store(
    commits: int = 3,
    *,
    subjects: Sequence[str] = (),
    strategies: Mapping[str, float] = STRATEGIES,
    problems: Iterable[str] = tuple(PROBLEMS),
) -> Store:
    """Make a store of this project: all strategies and problems, two builds, some commits."""
    problems = list(problems)
    store = Store()
    noise = np.random.default_rng(0)
    for index in range(commits):
        for blas in BUILDS:
            store.rows += _run(index, blas, noise, strategies, problems)
    subjects = [*subjects, *(f"Change number {index}" for index in range(len(subjects), commits))]
    store.tables = {
        "commits": [_commit(index, subjects[index]) for index in range(commits)],
        "machines": [
            {
                "project": "convbench",
                "machine": MACHINE,
                "os": "Linux 6.1",
                "arch": "x86_64",
                "cpu": "Made-up CPU @ 2.0 GHz",
                "num_cpu": "2",
                "ram": "8123456",
            }
        ],
        "problems": [_problem(name) for name in problems],
        "runs": [_run_facts(index) for index in range(commits)],
        "environments": [_environment(index, blas) for index in range(commits) for blas in BUILDS],
        "cells": [
            _cell(index, blas, strategy, problem)
            for index in range(commits)
            for blas in BUILDS
            for strategy in strategies
            for problem in problems
        ],
    }
    return store


# Ends of an interval as shares of the value: what asv gives for two samples 10 % apart, and worse.
STRANGE_INTERVALS = ((-1.38, 3.38), (0.0, 2.0), (1e-300, 1e300), (-1e300, 1.01), (0.99, 1.01))


def strange_store() -> Store:
    """Make a store whose intervals reach 0, pass it, or have no bounds to speak of."""
    store = convolution_store(4, problems=[*PROBLEMS, *SIDES])
    for number, made in enumerate(store.rows):
        low, high = STRANGE_INTERVALS[number % len(STRANGE_INTERVALS)]
        made |= {"ci_low": low * made["value"], "ci_high": high * made["value"]}
    return store


def trusted_store(commits: int = 4) -> Store:
    """Make a store whose runs tell everything, with a null control; the last run is doubtful."""
    store = convolution_store(commits)
    noise = np.random.default_rng(2)
    for index in range(commits):
        for blas in BUILDS:
            for case in CASES:
                value = 1e-5 * noise.normal(1, 0.02)
                store.rows += [
                    control_row(index, arm, case, value * noise.normal(1, 0.004), blas=blas)
                    for arm in ("a", "b")
                ]
    for index, run in enumerate(store.tables["runs"]):
        run |= _said_of_run(run["run"])
        run |= {"disturbed": DISTURBED, "dirty": True} if index == commits - 1 else {}
    for environment in store.tables["environments"]:
        environment |= _said_of_environment(environment["blas"])
    store.tables["machines"][0] |= {
        "cores": 2,
        "num_cpu": "4",
        "ram_bytes": 8_123_456_000,
        "governor": "performance",
        "virtualised": "kvm",
    }
    return store


def control_row(
    index: int, arm: str, case: str, value: float, *, blas: str = "openblas", width: float = 0.02
) -> dict[str, Any]:
    """Make one arm of a pair of the null control."""
    return row(
        index,
        value,
        benchmark="control.NullControl.time_case",
        params={"arm": arm, "case": case},
        blas=blas,
        width=width,
    )


VERSIONS = {
    "openblas": ("OpenBLAS 0.3.9 Haswell", "OpenBLAS 0.3.30 Haswell", "OpenBLAS 0.3.31 Haswell"),
    "mkl": ("MKL 2025.3", "MKL 2026.2"),
}


def versions_store() -> Store:
    """Make a store of two commits, the older of which was measured under every BLAS version.

    Version number n, counted from 0, takes 10 − n seconds; at the newer commit the newest of each
    family takes 1 second more.
    """
    store = Store()
    params = {"strategy": "im2col", "problem": "question", "dtype": "float32"}
    for blas, identities in VERSIONS.items():
        for number, identity in enumerate(identities):
            at_old = row(0, 10.0 - number, params=params, blas=blas) | {
                "blas_identity": identity,
                "run": f"run-0-{blas}-{number}",
                "started_at": START + pd.Timedelta(hours=number),
            }
            store.rows.append(at_old)
        store.rows.append(
            row(1, 11.0 - number, params=params, blas=blas) | {"blas_identity": identities[-1]}
        )
    store.tables["commits"] = [_commit(index, f"Change number {index}") for index in range(2)]
    return store


def _run(
    index: int,
    blas: str,
    noise: np.random.Generator,
    strategies: Mapping[str, float],
    problems: Sequence[str],
) -> list[dict[str, Any]]:
    rows = []
    for strategy, base in strategies.items():
        for problem in problems:
            params = {"strategy": strategy, "problem": problem, "dtype": "float32"}
            scale = (flops(problem) / flops("question")) ** (0.55 if base < 20e-6 else 0.8)
            value = base * scale * (0.9 if blas == "mkl" else 1) * noise.normal(1, 0.01)
            status = "skipped" if (strategy, problem) in REFUSED else "ok"
            if (strategy, problem, blas) == ("fft", "mobilenetv2_dw3", "mkl"):
                status = "failed"
            rows.append(row(index, value, params=params, blas=blas, status=status))
        double = {"strategy": strategy, "problem": "question", "dtype": "float64"}
        value = base * 1.3 * noise.normal(1, 0.01)
        rows.append(row(index, value, params=double, blas=blas, benchmark="run.Float64.time_run"))
        peak = {"strategy": strategy, "problem": "vgg16_conv3_2", "dtype": "float32"}
        rows.append(
            row(
                index,
                81e6,
                params=peak,
                blas=blas,
                unit="bytes",
                benchmark="memory.Memory.peakmem_run",
            )
        )
    for dtype, value in (("float32", 70e-6), ("float64", 110e-6)):
        dense = {"dtype": dtype}
        rows.append(row(index, value, params=dense, blas=blas, benchmark="dense.Dense.time_dot"))
    return rows


def flops(problem: str) -> int:
    """Count the direct algorithm's operations."""
    channels, height, width, filters, kernel, stride, groups = (PROBLEMS | SIDES)[problem]
    outputs = filters * (height // stride) * (width // stride)
    return 2 * outputs * channels // groups * kernel * kernel


def _problem(name: str) -> dict[str, Any]:
    channels, height, width, filters, kernel, stride, groups = (PROBLEMS | SIDES)[name]
    return {
        "project": "convbench",
        "problem": name,
        "batch": 1,
        "in_channels": channels,
        "height": height,
        "width": width,
        "out_channels": filters,
        "kernel_height": kernel,
        "kernel_width": kernel,
        "stride_h": stride,
        "stride_w": stride,
        "padding_h": 0,
        "padding_w": 0,
        "dilation_h": 1,
        "dilation_w": 1,
        "groups": groups,
        "out_height": height // stride,
        "out_width": width // stride,
        "flops": flops(name),
        "bytes_float32": 1000,
        "bytes_float64": 2000,
    }


def _cell(index: int, blas: str, strategy: str, problem: str) -> dict[str, Any]:
    executed = {"toeplitz": 256 * flops(problem), "fft": 9 * flops(problem)}
    return {
        "project": "convbench",
        "machine": MACHINE,
        "environment": f"virtualenv-py3.12-{blas}",
        "run": f"run-{index}",
        "commit": commit_name(index),
        "blas": blas,
        "strategy": strategy,
        "family": FAMILIES.get(strategy, "gemm"),
        "problem": problem,
        "dtype": "float32",
        "flops": executed.get(strategy, flops(problem)),
        "workspace_bytes": 0,
        "unsupported": REFUSED.get((strategy, problem)),
    }


def _commit(index: int, subject: str) -> dict[str, Any]:
    return {
        "project": "convbench",
        "commit": commit_name(index),
        "position": index,
        "commit_date": START + pd.Timedelta(days=index),
        "parents": [],
        "subject": subject,
        "author": "",
        "tags": [],
    }


def _run_facts(index: int) -> dict[str, Any]:
    started = START + pd.Timedelta(days=index, hours=1)
    return {
        "project": "convbench",
        "run": f"run-{index}",
        "machine": MACHINE,
        "commit": commit_name(index),
        "started_at": started,
        "finished_at": started + pd.Timedelta(minutes=4),
        "asv_exit_code": 0,
        "dropped_variables": {"OMP_NUM_THREADS": "4"},
        "load_before": 0.12,
        "load_after": 1.4,
    }


def _environment(index: int, blas: str) -> dict[str, Any]:
    return {
        "project": "convbench",
        "machine": MACHINE,
        "environment": f"virtualenv-py3.12-{blas}",
        "run": f"run-{index}",
        "commit": commit_name(index),
        "blas": blas,
        "threads": "1",
        "guard": "ok",
        "packages": {"numpy": "2.4.6", "scipy": "1.17.1"},
        "libraries_json": "[]",
        "identity": BUILDS[blas],
    }


def _said_of_run(run: str) -> dict[str, Any]:
    """Say what a run of the newest format knows of itself."""
    return {
        "environment_type": "virtualenv",
        "asv_version": "0.6.6",
        "quick": False,
        "bench": "",
        "dirty": False,
        "command": "convbench measure HEAD --budget-minutes 12",
        "lock_sha256": hashlib.sha256(b"lock").hexdigest(),
        "environments_sha256": hashlib.sha256(run.encode()).hexdigest(),
        "seed": 0,
        "python": "3.12.4",
        "budget_minutes": 12.0,
        "measured_minutes": 10.3,
        "rounds": 2,
        "cells_left_out": 4,
        "disturbed": "",
        "units_json": "[]",
    }


def _said_of_environment(blas: str) -> dict[str, Any]:
    library = {
        "family": blas,
        "file": f"lib{blas}.so.0",
        "sha256": hashlib.sha256(blas.encode()).hexdigest(),
        "version": "0.3.31" if blas == "openblas" else "2026.2",
        "internal_api": blas,
        "architecture": "Haswell",
        "threading_layer": "pthreads",
        "threads": 1,
        "package": "",
    }
    return {
        "lapack": "LAPACK 3.11.0 of OpenBLAS",
        "cpus": "0",
        "threads_claimed": "1",
        "libraries_json": json.dumps([library]),
    }


def found_change(
    index: int, *, before: float, after: float, params: str, **names: Any
) -> dict[str, Any]:
    """Make a change that `detect` would have found; of no event unless one is named."""
    return {
        "project": "convbench",
        "machine": MACHINE,
        "environment": "virtualenv-py3.12-openblas",
        "blas": "openblas",
        "threads": "1",
        "benchmark": "run.Float32.time_run",
        "params": params,
        "strategy": "",
        "problem": "",
        "dtype": "",
        "commit": commit_name(index),
        "previous_commit": commit_name(index - 1),
        "before": before,
        "after": after,
        "ratio": after / before,
        "ratio_low": 0.97 * after / before,
        "ratio_high": 1.03 * after / before,
        "p_value": 1e-6,
        "p_adjusted": 1e-5,
        "unit": "seconds",
        "kind": "regression" if after > before else "improvement",
        "points": index + 3,
        "position": index,
        "range_first": commit_name(index),
        "range_last": commit_name(index),
        "recovered": False,
        "event": "",
        **names,
    }


def event(name: str, *changes: Mapping[str, Any], **said: Any) -> list[dict[str, Any]]:
    """Make the event of some changes, the first of which is its clearest; tell them its name.

    Returns a list of one row, to be added to the table `events`.
    """
    clearest = changes[0]
    for one in changes:
        one |= {"event": name}  # type: ignore[operator]
    return [
        {
            **clearest,
            "event": name,
            "subject": clearest["strategy"],
            "known_as": name,
            "cause": "code",
            "evidence": "seen on both BLAS builds of made-up-machine",
            "changes": len(changes),
            "machines": len({one["machine"] for one in changes}),
            "builds": len({one["blas"] for one in changes}),
            "benchmarks": len({one["benchmark"] for one in changes}),
            "triage": "",
            "triage_reason": "",
            "reproduce": "convbench reproduce 'run-6/openblas/1/run.Float32.time_run()'",
            "bisect": f"convbench bisect {name} --store store",
            **said,
        }
    ]


def foreign_store(commits: int = 8) -> Store:
    """Make a store of a project without strategies, facts or git: three machines, no BLAS."""
    store = Store()
    noise = np.random.default_rng(1)
    for index in range(commits):
        for machine in ("arm-box", "intel-box", "old-box"):
            for size in ("100", "200", "1000"):
                value = 1e-6 * float(size) * noise.normal(1, 0.02)
                made = row(
                    index,
                    value,
                    benchmark="benchmarks.axpy.time_axpy",
                    blas="",
                    machine=machine,
                    params={"size": size, "variant": "d"},
                )
                store.rows.append(made)
    return store
