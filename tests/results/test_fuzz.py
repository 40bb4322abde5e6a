"""Files with random damage: a reader gives a consistent record or says that it can't.

CONVBENCH_FUZZ is the number of files per test; 100,000 in all are read where tests are slow.
"""

import os
import random
from collections.abc import Callable, Iterator

import pytest
from hostile_bytes import FILES, assert_consistent, damaged, same_record, stored

from convbench.results.adapters import Origin, read_foreign
from convbench.results.contexts import _check
from convbench.results.descriptions import MACHINE_FACTS, parse_benchmarks, parse_machine
from convbench.results.exact_reader import read_exact
from convbench.results.facts import parse_facts, tables_of
from convbench.results.fast_reader import FastReader
from convbench.results.part_building import DAMAGE
from convbench.results.result_file import ResultFile

MANY = 12_500
COUNT = int(os.environ.get("CONVBENCH_FUZZ", "250"))

ORIGIN = Origin(commit="c" * 40, commit_date_ms=1)


def read_other_tool(raw: bytes) -> ResultFile:
    return read_foreign(raw, ORIGIN)


RESULTS: dict[str, Callable[[bytes], ResultFile]] = {
    "format 2": read_exact,
    "format 1": read_exact,
    "pyperf": read_other_tool,
    "pytest-benchmark": read_other_tool,
    "Google Benchmark": read_other_tool,
}


@pytest.fixture(scope="module")
def reader() -> FastReader:
    return FastReader()


def files_of(kind: str, count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield damaged files of a kind; now and then pieces come from a file of another one."""
    rng = random.Random(f"{kind} {seed}")
    own = [text.encode() for text in FILES[kind]]
    every = [text.encode() for texts in FILES.values() for text in texts]
    for _ in range(count):
        yield damaged(rng.choice(own), rng.choice(own if rng.random() < 0.8 else every), rng)


def counts() -> list[object]:
    """How many files a test reads: some always, many where tests are slow."""
    return [COUNT, pytest.param(MANY, marks=pytest.mark.slow)]


@pytest.mark.parametrize("count", counts())
@pytest.mark.parametrize("kind", RESULTS)
def test_results_are_whole_or_refused(kind, count):
    read = 0
    for raw in files_of(kind, count):
        try:
            file = RESULTS[kind](raw)
        except DAMAGE:
            continue
        read += 1
        assert_consistent(file)
        assert len(stored(file).values) == len(file.rows.value)

    assert 0 < read < count  # else the law would say nothing


@pytest.mark.parametrize("count", counts())
@pytest.mark.parametrize("kind", ["format 2", "format 1"])
def test_the_fast_reader_says_nothing_else_and_never_raises(kind, count, reader):
    answers = 0
    for raw in files_of(kind, count, seed=1):
        quickly = reader.read(raw)
        if quickly is not None:
            answers += 1
            assert same_record(quickly, read_exact(raw)), raw

    assert (answers > 0) == (kind == "format 2")


def texts_of_facts(raw: bytes) -> Iterator[str]:
    facts = parse_facts(raw)
    for name, rows in tables_of(facts).items():
        _check(name, rows)
    yield from (facts.project, facts.run, facts.machine, facts.commit)
    for environment in facts.environments:
        yield facts.identity(environment) + facts.blas_sha256(environment)


def texts_of_benchmarks(raw: bytes) -> Iterator[str]:
    for name, known in parse_benchmarks(raw).items():
        yield from (name, known.type, known.unit, known.version, known.code, *known.param_names)


def texts_of_a_machine(raw: bytes) -> Iterator[str]:
    said = parse_machine(raw)
    assert tuple(said) == MACHINE_FACTS
    yield from said.values()


DESCRIPTIONS = {
    "benchmarks.json": texts_of_benchmarks,
    "machine.json": texts_of_a_machine,
    "facts.json": texts_of_facts,
}


@pytest.mark.parametrize("count", counts())
@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_descriptions_are_plain_or_refused(kind, count):
    refused = 0
    for raw in files_of(kind, count):
        try:
            texts = list(DESCRIPTIONS[kind](raw))
        except DAMAGE:
            refused += 1
            continue
        "".join(texts).encode()

    assert 0 < refused < count
