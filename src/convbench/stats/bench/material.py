"""What a run of the bench reads from outside: real histories and labelled series."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from convbench.errors import BadResults, BadUsage
from convbench.stats.bench.injection import Measured
from convbench.stats.bench.labelled import Labelled


def read_histories(folder: Path) -> dict[str, list[Measured]]:
    """Read collections of real histories: name of the file -> its histories."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise BadUsage(f"--histories takes a folder with Parquet files; {folder} has none")
    return {file.stem: read_collection(file) for file in files}


def read_collection(file: Path) -> list[Measured]:
    """Read the histories of one file, oldest value first; only positive finite values count."""
    try:
        frame = pd.read_parquet(file)
        values = frame["value"].to_numpy("float64")
        frame = frame[np.isfinite(values) & (values > 0)].sort_values(["series", "index"])
        frame = _with_places(frame)
        return [_measured(part) for _, part in frame.groupby("series")]
    except (ValueError, TypeError, KeyError) as error:  # Arrow's errors are ValueErrors
        raise BadResults(
            f"{file} is not a Parquet file with the columns series, index, value: {error}"
        ) from error


def _with_places(frame: pd.DataFrame) -> pd.DataFrame:
    """Give commits their place in the order of the collection, oldest first."""
    if not {"commit", "commit_date"} <= {*frame}:
        return frame.assign(place=frame["index"])
    frame = frame.astype({"commit": "str"})  # a category would be put in the order of its values
    order = frame.drop_duplicates("commit").sort_values(["commit_date", "commit"])["commit"]
    place = frame["commit"].map({commit: at for at, commit in enumerate(order)})
    return frame.assign(place=place).sort_values(["series", "place", "index"])


def _measured(part: pd.DataFrame) -> Measured:
    """Take one history, and where it belongs if the file says so."""
    names = ("benchmark", "params", "environment")
    benchmark, params, environment = (
        str(part[name].iloc[0]) if name in part else "" for name in names
    )
    places = part["place"].to_numpy("int64")
    known = benchmark and environment and "commit" in part and np.unique(places).size == places.size
    is_time = benchmark.rpartition(".")[2].startswith("time")
    return Measured(
        values=part["value"].to_numpy("float64"),
        commits=places,
        benchmark=f"{benchmark} {params}" if known else "",
        beside=environment if known and is_time else "",
    )


def read_labelled(folder: Path) -> list[Labelled]:
    """Read the univariate series without gaps that a checkout of TCPD has, and their labels."""
    try:
        labels = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
        files = {name: folder / "datasets" / name / f"{name}.json" for name in sorted(labels)}
        series = {
            name: json.loads(file.read_text(encoding="utf-8"))["series"]
            for name, file in files.items()
            if file.is_file()
        }
        return [
            Labelled(
                name,
                np.array(dimensions[0]["raw"], dtype=np.float64),
                tuple(tuple(marks) for marks in labels[name].values()),
            )
            for name, dimensions in series.items()
            if len(dimensions) == 1 and None not in dimensions[0]["raw"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadResults(
            f"{folder} is not a checkout of alan-turing-institute/TCPD: {error}"
        ) from error
