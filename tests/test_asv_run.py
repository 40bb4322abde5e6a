"""One run of asv: what it is given, what it never sees, how its end is judged."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from convbench import asv_config, asv_run
from convbench.errors import MeasureFailed

ROOT = Path(__file__).resolve().parents[1]


def test_a_folder_with_a_blank_survives_the_way_through_asv_and_pip(tmp_path: Path) -> None:
    root = tmp_path / "my project"
    config = asv_config.read(ROOT / "asv.conf.json")

    derived = asv_config.derive(config, root, tmp_path)
    variables, _ = asv_run.shielded_environment(
        {}, home=tmp_path, constraints=root / "constraints.txt"
    )

    words = shlex.split(derived["install_command"][0])  # as asv does
    assert f"{root}/src/convbench/wheels.py" in words
    assert len(variables["PIP_CONSTRAINT"].split()) == 1  # as pip does


def test_thread_variables_of_the_caller_are_dropped_and_told(tmp_path: Path) -> None:
    shell = {"HOME": "/somewhere", "OMP_NUM_THREADS": "7", "MKL_CBWR": "AVX2", "PATH": "/bin"}

    variables, dropped = asv_run.shielded_environment(
        shell, home=tmp_path, constraints=tmp_path / "constraints.txt"
    )

    assert dropped == {"OMP_NUM_THREADS": "7", "MKL_CBWR": "AVX2"}
    assert not dropped.keys() & variables.keys()
    assert variables["HOME"] == str(tmp_path)
    assert variables["PIP_CACHE_DIR"] == "/somewhere/.cache/pip"
    assert variables["PATH"] == "/bin"
    assert variables["PIP_CONSTRAINT"] == f"file://{tmp_path}/constraints.txt"


def test_constraints_are_the_versions_of_the_lock_file_without_its_hashes() -> None:
    lock = "pip==26.3 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
    lock += "colorama==0.4 ; os_name == 'nt' \\\n"

    assert asv_run.constraints_of(lock) == "pip==26.3\ncolorama==0.4\n"


def test_the_lock_file_pins_what_asv_installs_on_its_own() -> None:
    pinned = asv_run.constraints_of((ROOT / "requirements.lock").read_text())

    names = {line.partition("==")[0] for line in pinned.splitlines()}
    assert {"pip", "wheel", "build", "asv-runner", "pympler", "flit-core"} <= names


@pytest.mark.parametrize("exit_code", [0, asv_run.SOME_BENCHMARKS_FAILED])
def test_a_complete_run_is_accepted_though_a_benchmark_failed(
    tmp_path: Path, exit_code: int
) -> None:
    assert asv_run.check(exit_code, tmp_path / "log") is None


def test_a_run_that_stopped_is_refused_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("· Creating environments\nasv: no space left on device\n\n")

    with pytest.raises(MeasureFailed, match=r"exit code 1: asv: no space left on device; .*log"):
        asv_run.check(1, log)


def test_a_condition_that_selects_nothing_is_no_failure(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("asv: an earlier call failed\n")
    start = log.stat().st_size
    with log.open("a") as more:
        more.write("· Discovering benchmarks\n· No benchmarks selected\n")

    assert asv_run.selected_nothing(1, log, start)
    assert asv_run.check(1, log, start) is None


def test_the_line_that_says_why_is_found_among_what_follows_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("   STDERR -------->\n   wheels.py: no gcc here\n\n·· Failed to build\n")

    assert asv_run.complaint(log) == "wheels.py: no gcc here"


def test_a_run_is_told_line_by_line_and_logged_whole(tmp_path: Path) -> None:
    fake = tmp_path / "asv"
    fake.mkdir()
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text(
        "import sys\n"
        "print('· Creating environments')\n"
        "print('[25.00%] ··· run.Float32.time_run            ok')\n"
        "print('[50.00%] ·· Benchmarking virtualenv-py3.11-numpy2-CONVBENCH_BLASmkl-X1')\n"
        "print('not progress')\n"
        "sys.exit(2)\n"
    )
    said: list[str] = []

    code = asv_run.run_asv(
        [],
        environment={"PYTHONPATH": str(tmp_path), "PATH": str(Path(sys.executable).parent)},
        folder=tmp_path,
        log=tmp_path / "log",
        locks=(),
        say=said.append,
    )

    assert code == 2
    assert said == [
        "  Creating environments",
        "   25.0 %  run.Float32.time_run",
        "   50.0 %  Benchmarking mkl",
    ]
    assert "not progress" in (tmp_path / "log").read_text()


def test_an_interrupted_asv_ends_with_all_it_started(tmp_path: Path) -> None:
    # asv puts its children into process groups of their own, where a signal to asv's misses them.
    package = tmp_path / "asv"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '300'], preexec_fn=lambda: os.setpgid(0, 0))\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "print('· started', flush=True)\n"
        "time.sleep(300)\n"
    )

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asv_run.run_asv(
            [],
            environment={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
            folder=tmp_path,
            log=tmp_path / "log",
            locks=(),
            say=interrupt,
        )

    child = Path("/proc", (tmp_path / "child").read_text(), "stat")
    # Gone, or a zombie that its new parent has not collected yet.
    assert not child.exists() or ") Z " in child.read_text()
