"""The tables of the store: columns, types and key of each, and how they look in pandas.

`values` has one row per benchmark × parameter combination × commit × environment × machine × run.
`value` is null unless `status` is ``ok``; an ``ok`` row without a value holds a result that is no
number (asv's `track_` benchmarks may return any JSON value).

On disk `values` is three files side by side, with the same rows in the same order: joining them is
pasting. `FAMILIES` has their columns; the four statistics of `values` lie coded in `intervals`.

Version 2 added `blas_sha256` to `values` and what format 2 of ``facts.json`` tells; version 3 the
families, parts of several sources, and `branches`. Rows that an older convbench collected are read
with nulls in the columns that it did not have.
"""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from convbench.results.result_file import INTERVALS

SCHEMA_VERSION = 3

OK, FAILED, SKIPPED = STATUSES = ("ok", "failed", "skipped")

TEXT = pa.string()
NAME = pa.dictionary(pa.int32(), pa.string())  # text that repeats
TEXTS = pa.list_(pa.string())
PAIRS = pa.map_(pa.string(), pa.string())
TIME = pa.timestamp("ms", "UTC")
COUNT = pa.int64()
NUMBER = pa.float64()
FLAG = pa.bool_()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


SCHEMAS: Mapping[str, pa.Schema] = {
    "values": _schema(
        project=NAME,
        machine=NAME,
        environment=NAME,
        blas=NAME,
        blas_identity=NAME,
        blas_sha256=NAME,
        commit=NAME,
        commit_date=TIME,
        run=NAME,
        benchmark=NAME,
        params=PAIRS,
        strategy=NAME,
        problem=NAME,
        dtype=NAME,
        threads=NAME,
        value=NUMBER,
        unit=NAME,
        status=NAME,
        ci_low=NUMBER,
        ci_high=NUMBER,
        q25=NUMBER,
        q75=NUMBER,
        number=COUNT,
        repeat=COUNT,
        version=NAME,
        started_at=TIME,
        duration=NUMBER,
        source=NAME,
    ),
    "commits": _schema(
        project=TEXT,
        commit=TEXT,
        position=COUNT,
        commit_date=TIME,
        parents=TEXTS,
        subject=TEXT,
        author=TEXT,
        tags=TEXTS,
        branches=TEXTS,
    ),
    "benchmarks": _schema(
        project=TEXT,
        benchmark=TEXT,
        type=TEXT,
        unit=TEXT,
        param_names=TEXTS,
        version=TEXT,
        code=TEXT,
    ),
    "environments": _schema(
        project=TEXT,
        machine=TEXT,
        environment=TEXT,
        run=TEXT,
        commit=TEXT,
        blas=TEXT,
        threads=TEXT,
        guard=TEXT,
        packages=PAIRS,
        libraries_json=TEXT,
        identity=TEXT,
        blas_sha256=TEXT,
        lapack=TEXT,
        cpus=TEXT,
        threads_claimed=TEXT,
    ),
    # One row per machine: what the newest run said of it.
    "machines": _schema(
        project=TEXT,
        machine=TEXT,
        os=TEXT,
        arch=TEXT,
        cpu=TEXT,
        num_cpu=TEXT,
        ram=TEXT,
        cores=COUNT,
        ram_bytes=COUNT,
        governor=TEXT,
        virtualised=TEXT,
        host_json=TEXT,
    ),
    "problems": _schema(
        project=TEXT,
        problem=TEXT,
        batch=COUNT,
        in_channels=COUNT,
        height=COUNT,
        width=COUNT,
        out_channels=COUNT,
        kernel_height=COUNT,
        kernel_width=COUNT,
        stride_h=COUNT,
        stride_w=COUNT,
        padding_h=COUNT,
        padding_w=COUNT,
        dilation_h=COUNT,
        dilation_w=COUNT,
        groups=COUNT,
        out_height=COUNT,
        out_width=COUNT,
        flops=COUNT,
        bytes_float32=COUNT,
        bytes_float64=COUNT,
    ),
    "cells": _schema(
        project=TEXT,
        machine=TEXT,
        environment=TEXT,
        run=TEXT,
        commit=TEXT,
        blas=TEXT,
        strategy=TEXT,
        family=TEXT,
        problem=TEXT,
        dtype=TEXT,
        flops=COUNT,
        workspace_bytes=COUNT,
        unsupported=TEXT,
    ),
    "runs": _schema(
        project=TEXT,
        run=TEXT,
        machine=TEXT,
        commit=TEXT,
        started_at=TIME,
        finished_at=TIME,
        asv_exit_code=COUNT,
        dropped_variables=PAIRS,
        load_before=NUMBER,
        load_after=NUMBER,
        environment_type=TEXT,
        asv_version=TEXT,
        quick=FLAG,
        bench=TEXT,
        dirty=FLAG,
        command=TEXT,
        lock_sha256=TEXT,
        environments_sha256=TEXT,
        seed=COUNT,
        python=TEXT,
        budget_minutes=NUMBER,
        measured_minutes=NUMBER,
        rounds=COUNT,
        cells_left_out=COUNT,
        disturbed=TEXT,
        units_json=TEXT,
    ),
    # One row per change of one history, and one per cause: what `detect` found.
    "changes": _schema(
        project=TEXT,
        machine=TEXT,
        environment=TEXT,
        blas=TEXT,
        blas_identity=TEXT,
        threads=TEXT,
        benchmark=TEXT,
        params=TEXT,
        strategy=TEXT,
        problem=TEXT,
        dtype=TEXT,
        unit=TEXT,
        commit=TEXT,
        previous_commit=TEXT,
        position=COUNT,
        before=NUMBER,
        after=NUMBER,
        ratio=NUMBER,
        ratio_low=NUMBER,
        ratio_high=NUMBER,
        p_value=NUMBER,
        p_adjusted=NUMBER,
        kind=TEXT,
        points=COUNT,
        recovered=FLAG,
        range_first=TEXT,
        range_last=TEXT,
        range_first_position=COUNT,
        range_last_position=COUNT,
        disturbed=TEXT,
        identity_before=TEXT,
        identity_after=TEXT,
        packages_changed=TEXT,
        event=TEXT,
    ),
    "events": _schema(
        project=TEXT,
        event=TEXT,
        kind=TEXT,
        subject=TEXT,
        commit=TEXT,
        previous_commit=TEXT,
        position=COUNT,
        range_first=TEXT,
        range_last=TEXT,
        range_first_position=COUNT,
        range_last_position=COUNT,
        cause=TEXT,
        evidence=TEXT,
        known_as=TEXT,
        changes=COUNT,
        machines=COUNT,
        builds=COUNT,
        benchmarks=COUNT,
        ratio=NUMBER,
        ratio_low=NUMBER,
        ratio_high=NUMBER,
        p_value=NUMBER,
        recovered=FLAG,
        machine=TEXT,
        environment=TEXT,
        blas=TEXT,
        threads=TEXT,
        benchmark=TEXT,
        params=TEXT,
        strategy=TEXT,
        problem=TEXT,
        dtype=TEXT,
        unit=TEXT,
        before=NUMBER,
        after=NUMBER,
        triage=TEXT,
        triage_reason=TEXT,
        reproduce=TEXT,
        bisect=TEXT,
    ),
}

_ENVIRONMENT = ("project", "machine", "environment", "run", "commit")

KEYS: Mapping[str, tuple[str, ...]] = {
    "values": (*_ENVIRONMENT, "benchmark", "params"),
    "commits": ("project", "commit"),
    "benchmarks": ("project", "benchmark"),
    "environments": _ENVIRONMENT,
    "machines": ("project", "machine"),
    "problems": ("project", "problem"),
    "cells": (*_ENVIRONMENT, "strategy", "problem", "dtype"),
    "runs": ("project", "run", "machine"),
    "changes": (
        *("project", "machine", "environment", "blas", "threads", "benchmark", "params"),
        *("commit", "kind"),
    ),
    "events": ("project", "event"),
}

# Counts that a row may lack: a failed benchmark was not repeated, an unsupported cell has no work,
# a run of an older convbench did not say.
MAYBE_COUNTS: Mapping[str, tuple[str, ...]] = {
    "values": ("number", "repeat"),
    "cells": ("flops", "workspace_bytes"),
    "machines": ("cores", "ram_bytes"),
    "runs": ("asv_exit_code", "seed", "rounds", "cells_left_out"),
}

# Everything that is one file beside the manifest; `values` is partitioned.
TABLES = tuple(name for name in SCHEMAS if name != "values")

DETECTED = ("changes", "events")
"""What `detect` writes of everything that was collected. A store with `events` but no `changes` was
searched by an older convbench, whose events were one row per change: it is to be searched again."""

LISTS = ("samples", "quantiles")
"""What `load(samples=True)` adds: all samples of a row, or the quantiles that stay of them."""

# `values` as it is held and stored: `params` as JSON text (`results/params.py`), by number.
ROWS = pa.schema(
    [pa.field("params", NAME) if field.name == "params" else field for field in SCHEMAS["values"]]
)

FAMILIES: Mapping[str, pa.Schema] = {
    "values": pa.schema([field for field in ROWS if field.name not in INTERVALS]),
    # Coded (`results/intervals.py`), and beside it those that can't be; each row has one of both.
    "intervals": _schema(
        power=pa.int8(),
        **{f"{name}_step": pa.int32() for name in INTERVALS},
        **dict.fromkeys(INTERVALS, NUMBER),
    ),
    "samples": _schema(**dict.fromkeys(LISTS, pa.list_(NUMBER))),
}
"""The files of a part; a part without samples has no file of the last."""


def empty_table(name: str) -> pa.Table:
    """Return table `name` without rows."""
    return SCHEMAS[name].empty_table()


def completed(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """Give rows that an older convbench wrote the columns that it did not have, all null."""
    for field in wanted:
        if field.name not in table.schema.names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(wanted.names)


def to_frame(table: pa.Table, name: str) -> pd.DataFrame:
    """Turn rows of table `name` into pandas: text as `str`, maps as dicts, times in UTC.

    Types don't depend on the rows: counts that may be missing are floats, with or without NaN;
    flags are objects, None where nothing was said.
    """
    flags = [field.name for field in table.schema if field.type == FLAG]
    combinations = None
    for position, field in enumerate(table.schema):
        if field.name == "params" and field.type == NAME:
            combinations = _combinations(table["params"])
        elif pa.types.is_dictionary(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(TEXT))
        elif field.name in MAYBE_COUNTS.get(name, ()):
            table = table.set_column(
                position, field.name, table.column(position).cast(NUMBER, safe=False)
            )
    frame: pd.DataFrame = table.to_pandas(maps_as_pydicts="strict")
    if combinations is not None:
        frame["params"] = combinations
    return frame.astype(dict.fromkeys(flags, "object"))


def _combinations(texts: pa.ChunkedArray) -> pd.Series:
    """Return parameter combinations as dicts; rows of one combination share its dict."""
    coded = texts.unify_dictionaries().combine_chunks()
    dicts = np.empty(len(coded.dictionary), object)
    dicts[:] = [json.loads(text) for text in coded.dictionary.to_pylist()]
    return pd.Series(dicts[coded.indices.to_numpy()], dtype=object)


def empty_frame(name: str) -> pd.DataFrame:
    """Return table `name` as a pandas frame without rows, with the types that rows would have."""
    return to_frame(empty_table(name), name)


def params_text(params: Mapping[str, str]) -> str:
    """Write a parameter combination for people: ``a=1, b=2``."""
    return ", ".join(f"{name}={value}" for name, value in params.items())
