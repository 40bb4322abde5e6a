"""Collecting by partitions: one job for each machine, and one store of them all."""

import os
import re
import shutil
from pathlib import Path

import pytest
from asv_tree import plain_rows, result_file, row, write_source
from pipeline_project import ROOT, call

from convbench.results import collect, load

MACHINES = ("m-1", "m-2", "odd name, 'quoted'")


def measured(number: int) -> str:
    return result_file({"a": row([float(number)])}, commit_hash=f"{number:040x}")


@pytest.fixture
def folder(tmp_path) -> Path:
    files = {f"{machine}/{n}.json": measured(n) for machine in MACHINES for n in (1, 2)}
    write_source(tmp_path / "p", files)
    return tmp_path


def snakemake(folder: Path, *words: str, check: bool = True) -> str:
    """Run the workflow; return what it says."""
    snakefile = str(ROOT / "workflow/partitions.smk")
    config = ("--config", "results=p", "store=out/store")
    answer = call(
        folder, "snakemake", "--cores", "2", "--snakefile", snakefile, *config, *words, check=check
    )
    return answer.stdout + answer.stderr


def jobs(said: str) -> dict[str, int]:
    """How many jobs of each rule were done."""
    names = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", said, re.MULTILINE)
    return {name: names.count(name) for name in set(names) - {"all"}}


def collected(said: str) -> set[str]:
    """The shards whose jobs ran."""
    return set(re.findall(r"^    wildcards: shard=(\S+), state=", said, re.MULTILINE))


def assert_is_whole(folder: Path) -> None:
    """The combined store has what one collection has."""
    shutil.rmtree(folder / "whole", ignore_errors=True)
    collect(folder / "p", folder / "whole")
    rows = [
        load(store).drop(columns="source") for store in (folder / "out/store", folder / "whole")
    ]
    assert plain_rows(rows[0]) == plain_rows(rows[1])


def test_a_machine_is_collected_when_something_of_it_changed(folder):
    said = snakemake(folder)

    assert jobs(said) == {"collect_partition": 3, "combine": 1}
    assert_is_whole(folder)
    shards = {path.name for path in (folder / "out/store-shards").iterdir()}
    assert shards == {"m-1", "m-2", "odd=20name=2C=20=27quoted=27"}

    assert "Nothing to be done" in snakemake(folder)

    # A copy that is older than the store of its machine.
    (folder / "p/m-2/3.json").write_text(measured(3))
    os.utime(folder / "p/m-2/3.json", (1_600_000_000, 1_600_000_000))
    os.utime(folder / "p/m-2", (1_600_000_000, 1_600_000_000))
    said = snakemake(folder)

    assert jobs(said) == {"collect_partition": 1, "combine": 1}
    assert collected(said) == {"m-2"}
    assert "files: 1 read, 2 unchanged" in said
    assert_is_whole(folder)
    assert len(list((folder / "out/store-shards/m-2").glob(".collected-*"))) == 1

    assert "Nothing to be done" in snakemake(folder)


def test_rows_of_a_machine_that_vanished_stay_and_a_renamed_one_has_its_new_name(folder):
    snakemake(folder)
    shutil.rmtree(folder / "p/m-1")
    (folder / "convbench.toml").write_text('[machines]\n"m-2" = "new"\n')

    snakemake(folder)

    assert set(load(folder / "out/store")["machine"]) == {"m-1", "new", MACHINES[2]}


def test_what_is_wrong_is_said_before_any_job_runs(folder):
    misspelt = snakemake(folder, "--config", "results=p", "stor=x", check=False)
    absent = snakemake(folder, "--config", "results=absent", "store=x", check=False)

    assert "'stor' was unexpected" in misspelt
    assert "absent does not exist; expected a folder with asv's benchmarks.json" in absent
    assert not (folder / "out").exists()
