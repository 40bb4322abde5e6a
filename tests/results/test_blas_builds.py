"""A new BLAS build on the same commit is a new point, and measuring again overwrites nothing."""

from pathlib import Path

import pytest
from asv_tree import facts_2, result_file, row, write_source

from convbench.results import collect, load, newest

LIBRARY = facts_2()["environments"]["py"]["libraries"][0]
NAME = "OpenBLAS 0.3.31 Haswell"


def run(folder: Path, name: str, value: float, day: int, **library: str) -> Path:
    """A run of one commit on one machine, whose library differs in what is given."""
    said = facts_2(run=name)
    said["environments"]["py"]["libraries"] = [LIBRARY | library]
    cells = row([value], started_at=1_700_000_000_000 + day * 86_400_000)
    files = {"m/a.json": result_file({"a": cells}, env_vars={"CONVBENCH_BLAS": "openblas"})}
    return write_source(folder / "runs" / name, files, facts=said)


def shown(tmp_path: Path) -> dict[str, float]:
    """The default view: value by identity."""
    collect(tmp_path / "runs", tmp_path / "store")
    values = newest(load(tmp_path / "store"))
    return dict(zip(values["blas_identity"], values["value"], strict=True))


def test_a_new_version_on_the_same_commit_is_a_new_point(tmp_path):
    run(tmp_path, "run-1", 1.0, day=1)
    run(tmp_path, "run-2", 2.0, day=2, version="0.3.32", sha256="f" * 64)

    assert shown(tmp_path) == {NAME: 1.0, "OpenBLAS 0.3.32 Haswell": 2.0}


def test_a_rebuilt_library_of_the_same_version_is_a_new_point_that_its_hash_names(tmp_path):
    run(tmp_path, "run-1", 1.0, day=1)
    run(tmp_path, "run-2", 2.0, day=2, sha256="f" * 64)

    assert shown(tmp_path) == {f"{NAME} (0123456789ab)": 1.0, f"{NAME} ({'f' * 12})": 2.0}


def test_measuring_the_same_build_again_shows_the_newer_and_keeps_the_older(tmp_path):
    run(tmp_path, "run-1", 1.0, day=2)
    run(tmp_path, "run-2", 2.0, day=1)

    assert shown(tmp_path) == {NAME: 1.0}
    assert load(tmp_path / "store")["value"].tolist() == [1.0, 2.0]


def test_a_build_has_one_name_whatever_is_asked_for(tmp_path):
    run(tmp_path, "run-1", 1.0, day=1)
    run(tmp_path, "run-2", 2.0, day=2, sha256="f" * 64)
    shown(tmp_path)

    (name,) = load(tmp_path / "store", run="run-1")["blas_identity"]

    assert name == f"{NAME} (0123456789ab)"
    assert len(load(tmp_path / "store", blas_identity=NAME)) == 2


@pytest.mark.parametrize("other", [{"sha256": ""}, {"version": "0.3.32"}])
def test_no_hash_is_shown_where_the_version_tells_or_nothing_is_known(tmp_path, other):
    run(tmp_path, "run-1", 1.0, day=1)
    run(tmp_path, "run-2", 2.0, day=2, **other)
    shown(tmp_path)

    assert not load(tmp_path / "store")["blas_identity"].str.contains("(", regex=False).any()
