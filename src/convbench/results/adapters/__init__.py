"""JSON files of other benchmark tools as rows like asv's: one row of `ADAPTERS` per tool.

A tool's own name of a result is its identity. Its values are seconds per call, like asv's, and
there is no confidence interval where the tool states none. To read another tool, write a module
beside these with `recognises` and `read`, and add its row.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from convbench.results.adapters import google_benchmark, pyperf, pytest_benchmark
from convbench.results.adapters.reading import Origin
from convbench.results.result_file import ResultFile, utf8

__all__ = ["ADAPTERS", "Adapter", "Origin", "adapter_of", "read_foreign"]

_GZIP = b"\x1f\x8b"
_SHOWN = 200


@dataclass(frozen=True)
class Adapter:
    """What reads the files of one tool.

    Parameters
    ----------
    name, summary : str
        The tool's name; how its user has the file written.
    recognises : callable
        Whether a JSON object is a file of this tool, by its keys; never raises.
    read : callable
        Returns the rows of such a file, or raises what `read_foreign` does.
    """

    name: str
    summary: str
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any], Origin], ResultFile]


ADAPTERS: tuple[Adapter, ...] = (
    Adapter("pyperf", "python bench.py -o FILE", pyperf.recognises, pyperf.read),
    Adapter(
        "pytest-benchmark",
        "pytest --benchmark-json=FILE",
        pytest_benchmark.recognises,
        pytest_benchmark.read,
    ),
    Adapter(
        "Google Benchmark",
        "./bench --benchmark_out=FILE --benchmark_out_format=json",
        google_benchmark.recognises,
        google_benchmark.read,
    ),
)


def adapter_of(data: object) -> Adapter | None:
    """Return the adapter whose tool wrote a JSON document, None where there is none."""
    if not isinstance(data, Mapping):
        return None
    return next((adapter for adapter in ADAPTERS if adapter.recognises(data)), None)


def read_foreign(raw: bytes, origin: Origin) -> ResultFile:
    """Read the file of any tool in `ADAPTERS`.

    Raises
    ------
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError
        It is no such file, a damaged one, or says no commit and `origin` neither.
    """
    if raw.startswith(_GZIP):
        raise ValueError("compressed with gzip; only plain JSON is read: gunzip the file first")
    data = json.loads(raw)
    adapter = adapter_of(data)
    if adapter is None:
        known = ", ".join(adapter.name for adapter in ADAPTERS)
        raise ValueError(f"{_shown(data)}; only files of {known} are read")
    return adapter.read(data, origin)


def _shown(data: object) -> str:
    if not isinstance(data, Mapping):
        return f"a JSON {type(data).__name__}"
    return f"a JSON object with the keys {utf8(', '.join(data))[:_SHOWN] or '(none)'}"
