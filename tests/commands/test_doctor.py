import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import threadpoolctl

from convbench import machine, noise_floor, results
from convbench.commands import doctor
from convbench.errors import BadUsage
from convbench.stats.null_control import BENCHMARK

QUICK = ("--seconds", "0.001")
AFFINITY = os.sched_getaffinity(0)
TITLES = (
    "Machine",
    "BLAS in this process",
    "What makes timings noisy here",
    "Best rates measured now",
    "Noise floor measured now",
    "Null controls in no/store",
)


def doctor_lines(*options: str) -> list[str]:
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    lines: list[str] = []

    exit_code = doctor.run(parser.parse_args(options), lines.append)

    assert exit_code == 0  # whatever is found
    return lines


def state() -> dict[str, Any]:
    """What a command could change about its process and about the source tree."""
    package = Path(doctor.__file__).parents[1]
    return {
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "niceness": os.nice(0),
        "threads": [info["num_threads"] for info in threadpoolctl.threadpool_info()],
        "compiled": sorted(package.glob("*/*noise_floor*.nb?")),
    }


@pytest.fixture(scope="module")
def answer() -> list[str]:
    return doctor_lines(*QUICK, "--store", "no/store")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The answer as JSON, of a process that may write nowhere but into an empty folder."""
    folder = tmp_path_factory.mktemp("doctor")
    words = (sys.executable, "-B", "-m", "convbench.cli", "doctor", "--json", *QUICK)
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=folder, env=os.environ | nowhere, capture_output=True)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    yield json.loads(done.stdout)
    assert list(folder.iterdir()) == []


def section(lines: list[str], title: str) -> list[str]:
    start = lines.index(title) + 1
    return lines[start : lines.index("", start)]


def test_sections_stand_in_this_order(answer: list[str]) -> None:
    assert tuple(line for line in answer if line and line[0] != " ") == TITLES
    assert all(section(answer, title) for title in TITLES)


def test_lines_fit_a_terminal_but_for_commands(answer: list[str]) -> None:
    assert max(len(line) for line in answer if " $ " not in line) <= 80


def test_the_facts_are_those_of_the_machine(document: dict[str, Any], answer: list[str]) -> None:
    host = machine.host()
    assert document["host"].keys() == {*machine.Host.__dataclass_fields__}
    assert (document["host"]["cpu"], document["host"]["cpus"]) == (host.cpu, host.cpus)
    assert f"  CPU            {host.cpu or 'unknown'}"[:80] in section(answer, "Machine")


def test_findings_carry_their_fix(document: dict[str, Any]) -> None:
    for finding in document["findings"]:
        assert finding.keys() == {"what", "why", "fix", "severity"}


def test_the_loaded_blas_is_identified(document: dict[str, Any], answer: list[str]) -> None:
    assert document["blas"]
    lines = "\n".join(section(answer, "BLAS in this process"))
    for library in document["blas"]:
        assert re.fullmatch("[0-9a-f]{64}", library["sha256"])
        assert f"{library['file']}, sha256 {library['sha256'][:12]}" in lines
        assert library["architecture"] in lines
        assert library["threading_layer"] in lines


def test_ceilings_are_measured_for_each_dtype_on_one_and_all_threads(
    document: dict[str, Any],
) -> None:
    cases = [(one["dtype"], one["threads"]) for one in document["ceilings"]]

    numbers = sorted({1, len(os.sched_getaffinity(0))})
    assert cases == [(dtype, number) for dtype in ("float32", "float64") for number in numbers]
    assert all(one["flops_per_second"] > 1e8 for one in document["ceilings"])


def test_the_noise_floor_is_measured_in_fresh_processes(document: dict[str, Any]) -> None:
    floor = document["noise_floor"]

    assert floor.keys() == {*noise_floor.NoiseFloor.__dataclass_fields__, "disturbed"}
    assert floor["processes"] >= 5
    assert floor["samples"] >= 5 * noise_floor.MIN_SAMPLES
    assert floor["between_process"] > 0


def test_without_a_store_the_answer_says_so(document: dict[str, Any], answer: list[str]) -> None:
    assert document["null_control"] is None
    assert document["null_control_missing"].startswith("there is no store")
    assert section(answer, TITLES[-1]) == ["  there is no store; `convbench collect` makes one"]


def test_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = state()

    doctor_lines(*QUICK, "--json")

    assert state() == before
    assert os.sched_getaffinity(0) == AFFINITY  # of before the first call in this file
    assert list(tmp_path.iterdir()) == []


def control_rows(*values: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of a store: arm, case and seconds, with intervals of one percent."""
    same = {"project": "p", "machine": "m", "run": "r", "environment": "e", "commit": "c"}
    same |= {"benchmark": BENCHMARK, "status": "ok"}
    return pd.DataFrame(
        same
        | {
            "params": {"arm": arm, "case": case},
            "value": value,
            "ci_low": 0.99 * value,
            "ci_high": 1.01 * value,
            "started_at": pd.Timestamp("2026-11-22", tz="UTC"),
        }
        for arm, case, value in values
    )


def test_null_controls_of_a_store_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = control_rows(("a", "x", 1.0), ("b", "x", 1.0), ("a", "y", 1.0), ("b", "y", 1.5))
    monkeypatch.setattr(results, "load", lambda *_, **__: rows)

    lines = list(doctor.control_lines(tmp_path))

    assert lines[0] == "measured      2 pairs of the same work in 1 run"
    assert lines[1].startswith("spread        20 % apart, ")  # half of log 1.5
    assert lines[2].startswith("false alarms  1, a rate of 50 %, below 97 % with 95 % confidence")


def test_a_store_without_null_controls_says_so(tmp_path: Path) -> None:
    results.collect([], tmp_path / "store", say=lambda _: None)

    assert doctor.judged_control(tmp_path / "store") == "no run in it holds a null control yet"


def test_a_folder_that_is_no_store_is_told_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    reason = doctor.judged_control(tmp_path)

    assert isinstance(reason, str)
    assert str(tmp_path) in reason


def test_findings_are_written_with_reason_and_command() -> None:
    host = replace(machine.host(), turbo=True, vendor="GenuineIntel", virtualised="docker")

    lines = list(doctor.finding_lines(host))

    start = lines.index("serious  turbo is on:")
    assert lines[start + 1].startswith("         the clock depends on heat")
    assert "         $ echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo" in lines
    assert lines[-1] == "In a container: give these commands on its host."


def test_unknown_facts_are_written_as_such(tmp_path: Path) -> None:
    text = "\n".join(doctor.machine_lines(machine.host(tmp_path)))

    assert "governor unknown, turbo unknown" in text
    assert "None" not in text


def test_cpus_and_sizes_are_written_as_people_write_them() -> None:
    assert doctor.cpu_list([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"
    assert doctor.cpu_list([]) == "none"
    assert [doctor.binary(size) for size in (48 * 1024, 3 * 2**29, 0, None)] == [
        *("48 KiB", "1.5 GiB", "0 bytes", "unknown")
    ]


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(BadUsage, match="--seconds must be a positive number of seconds"):
        doctor_lines(f"--seconds={seconds}")
