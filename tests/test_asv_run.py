"""One run of asv: what it is given, what it never sees, how its end is judged."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from asv import environment
from asv.config import Config

from convbench import ConvProblem, asv_run
from convbench.errors import BadUsage, MeasureFailed
from convbench.strategies import STRATEGIES
from convbench.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parents[1]
OWN = [name for name, strategy in STRATEGIES.items() if not strategy.external]


def test_a_derived_configuration_can_lie_anywhere(tmp_path: Path) -> None:
    config = asv_run.read_config(ROOT / "asv.conf.json")

    derived = asv_run.derived_config(config, ROOT, tmp_path)

    assert derived["results_dir"] == str(tmp_path)
    assert all(Path(derived[key]).is_absolute() for key in ("repo", "benchmark_dir", "env_dir"))
    assert "{conf_dir}" not in json.dumps(derived)
    assert f"python {ROOT}/src/convbench/wheels.py" in derived["install_command"][0]


def test_a_folder_with_a_blank_survives_the_way_through_asv_and_pip(tmp_path: Path) -> None:
    root = tmp_path / "my project"
    config = asv_run.read_config(ROOT / "asv.conf.json")

    derived = asv_run.derived_config(config, root, tmp_path)
    variables, _ = asv_run.shielded_environment(
        {}, home=tmp_path, constraints=root / "constraints.txt"
    )

    words = shlex.split(derived["install_command"][0])  # as asv does
    assert f"{root}/src/convbench/wheels.py" in words
    assert len(variables["PIP_CONSTRAINT"].split()) == 1  # as pip does


def test_a_derived_configuration_keeps_the_matrix(tmp_path: Path) -> None:
    config = asv_run.read_config(ROOT / "asv.conf.json")

    derived = asv_run.derived_config(config, ROOT, tmp_path)

    assert derived["matrix"] == config["matrix"]
    assert derived["exclude"] == config["exclude"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not valid JSON"), ("[]", "no JSON object"), (None, "no asv conf")],
)
def test_a_bad_configuration_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "asv.conf.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadUsage, match=f"{message}.*{re.escape(str(path))}|{path}.*{message}"):
        asv_run.read_config(path)


COMMENTED = """{
    // asv's own template is full of these
    "version": 1, /* and of these */
    "project": "http://example.org // no comment",
    "matrix": {"req": {"numpy": ["2.4",],},},
}
"""


@pytest.mark.parametrize("name", ["asv.conf.json", "asv.conf.jsonc"])
def test_a_configuration_may_have_comments_as_asv_allows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(COMMENTED)

    assert asv_run.read_config(tmp_path / "asv.conf.json") == {
        "version": 1,
        "project": "http://example.org // no comment",
        "matrix": {"req": {"numpy": ["2.4"]}},
    }


def checkout(folder: Path, origin: str = "") -> Path:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    if origin:
        words = ["git", "-C", str(folder), "remote", "add", "origin", origin]
        subprocess.run(words, check=True)
    (folder / "perf").mkdir()
    return folder


@pytest.mark.parametrize(
    ("repo", "origin"),
    [
        ("https://example.org/owner/project.git", "https://example.org/owner/project"),
        ("https://example.org/owner/project", "git@example.org:stranger/Project.git"),  # a fork
        ("git@example.org:owner/project.git", ""),  # by the folder's name
    ],
)
def test_the_checkout_stands_for_the_address_of_its_own_repository(
    tmp_path: Path, repo: str, origin: str
) -> None:
    folder = checkout(tmp_path / ("other" if origin else "project"), origin)

    config = asv_run.with_local_repository({"repo": repo, "project": "p"}, folder / "perf")

    assert config == {"repo": str(folder), "project": "p"}


def test_another_repositorys_checkout_does_not(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "project-benchmarks", "https://example.org/o/project-benchmarks")

    with pytest.raises(BadUsage, match=r"repo of the configuration is .* in no checkout of it"):
        asv_run.with_local_repository({"repo": "https://example.org/o/project"}, folder)


@pytest.mark.parametrize("repo", [".", "..", "/somewhere", "C:stranger"])
def test_a_folder_stays_a_folder(tmp_path: Path, repo: str) -> None:
    assert asv_run.with_local_repository({"repo": repo}, tmp_path) == {"repo": repo}


def test_without_asv_comments_are_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "json5", None)
    (tmp_path / "asv.conf.json").write_text(COMMENTED)

    with pytest.raises(BadUsage, match=r"comments, which only convbench\[measure\] can read"):
        asv_run.read_config(tmp_path / "asv.conf.json")


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("problem", WORKLOADS)
@pytest.mark.parametrize("strategy", OWN)
def test_a_cell_is_selected_unless_its_strategy_refuses_it(
    strategy: str, problem: str, dtype: str
) -> None:
    name = f"run.Float32.time_run('{strategy}', '{problem}', '{dtype}')"

    selected = re.search(asv_run.selection(once=False, threads="1"), name) is not None

    conv_problem = ConvProblem(**WORKLOADS[problem], dtype=dtype)
    assert selected == (STRATEGIES[strategy].unsupported(conv_problem) is None)


@pytest.mark.parametrize("cache", ["cold", "warm"])
@pytest.mark.parametrize("strategy", OWN)
def test_a_compilation_is_selected_where_there_is_one(strategy: str, cache: str) -> None:
    name = f"compile.Compile.timeraw_first_call('{strategy}', '{cache}')"

    selected = re.search(asv_run.selection(once=True, threads="1"), name) is not None

    assert selected == ("numba" in STRATEGIES[strategy].brings)


NAMES = (
    "accuracy.Accuracy.track_error('im2col', 'question', 'float32')",
    "ceilings.Arithmetic.track_flops_per_second('gemm', 'float32')",
    "cold.ColdCache.time_run_cold('im2col', 'resnet50_conv2_1x1', 'float32')",
    "control.Control.time_noop",
    "control.NullControl.time_case('a', 'im2col question float32')",
    "dense.Dense.time_dot('float64')",
    "memory.Memory.track_peak_above_operands('im2col', 'resnet50_conv2_3x3', 'float32')",
    "prepare.Prepare.time_prepare('im2col', 'question', 'float32')",
    "run.Float32.time_run('im2col', 'question', 'float32')",
    "run.Float32.time_run('loops', 'question', 'float32')",
    "run.Float64.time_run('im2col', 'question', 'float64')",
)


def selected(*, once: bool, threads: str, bench: str = "") -> set[str]:
    expression = asv_run.selection(once=once, threads=threads, bench=bench)
    return {name for name in NAMES if re.search(expression, name)}


def test_every_benchmark_is_either_measured_once_or_timed_in_every_round() -> None:
    once, timed = selected(once=True, threads="1"), selected(once=False, threads="1")

    assert once | timed == set(NAMES)
    assert not once & timed
    assert {name.partition(".")[0] for name in once} == {"accuracy", "ceilings", "cold", "memory"}


def test_with_all_threads_only_what_may_use_them_is_measured() -> None:
    both = selected(once=True, threads="all") | selected(once=False, threads="all")

    modules = {name.partition(".")[0] for name in both}
    assert modules == {"ceilings", "control", "dense", "run"}
    assert not any("Float64" in name for name in both)
    assert not any("'loops'" in name for name in both)  # which computes on one thread


@pytest.mark.parametrize(
    ("bench", "expected"),
    [("time_dot", 1), (r"^run\.", 3), ("question", 5), (r"float64'\)$", 2), ("no_such", 0)],
)
def test_a_condition_of_the_user_narrows_the_selection(bench: str, expected: int) -> None:
    assert len(selected(once=False, threads="1", bench=bench)) == expected


def test_a_sweep_selects_problems_and_strategies_and_what_judges_them() -> None:
    chosen = {"problems": ("question",), "strategies": ("im2col", "loops")}
    names = (
        *NAMES,
        "compile.Compile.timeraw_first_call('numba_nhwc', 'warm')",
        "run.Float32.time_run('im2col_rows', 'question', 'float32')",
        "run.Float32.time_run('im2col', 'vit_patch16', 'float32')",
        "crossover.KernelSide.time_run('im2col', 'gray_blur3', 'float32')",
    )
    once, timed = (
        {
            name
            for name in names
            if re.search(asv_run.selection(once=once, threads="1", **chosen), name)
        }
        for once in (True, False)
    )

    assert once == {
        "accuracy.Accuracy.track_error('im2col', 'question', 'float32')",
        "ceilings.Arithmetic.track_flops_per_second('gemm', 'float32')",
    }
    assert timed == {
        "control.Control.time_noop",
        "control.NullControl.time_case('a', 'im2col question float32')",
        "dense.Dense.time_dot('float64')",
        "prepare.Prepare.time_prepare('im2col', 'question', 'float32')",
        "run.Float32.time_run('im2col', 'question', 'float32')",
        "run.Float32.time_run('loops', 'question', 'float32')",
        "run.Float64.time_run('im2col', 'question', 'float64')",
    }


@pytest.mark.parametrize("provider", ["virtualenv", "rattler"])
@pytest.mark.parametrize(
    "builds", [("openblas", "mkl"), ("netlib",), ("mkl", "netlib", "openblas")]
)
def test_other_builds_become_environments_of_their_own(
    provider: str, builds: tuple[str, ...]
) -> None:
    config = Config.from_json(
        asv_run.with_builds(asv_run.read_config(ROOT / "asv.conf.json"), builds, ["1", "all"])
    )

    made = [
        (
            entries[("env", "CONVBENCH_BLAS")],
            entries[("env_nobuild", "CONVBENCH_THREADS")],
            entries.get(("req", "libblas")),
        )
        for entries in environment.iter_matrix(provider, ["3.11"], config)
    ]

    from_channel = provider != "virtualenv"
    assert sorted(made) == sorted(
        (build, threads, f"*=*{build}" if from_channel else None)
        for build in builds
        for threads in ("1", "all")
    )


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
