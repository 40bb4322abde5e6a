"""Real commits of a small repository: built, put in front, compared, refused."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest
from toy_repository import CONFIG, PYPROJECT, commit, repository

from convbench.claims import exclusive
from convbench.commands import compare, gate
from convbench.comparison.contest import Request, contest
from convbench.comparison.processes import Order, measure
from convbench.errors import BadUsage, ConvbenchError, MeasureFailed


def silent(_: str) -> None:
    pass


def request(folder: Path, base: str = "HEAD~1", head: str = "HEAD", **options: str) -> Request:
    return Request(base=base, head=head, config=folder / "asv.conf.json", **options)  # type: ignore[arg-type]


def opened(asked: Request) -> None:
    """Go as far as a comparison goes before it measures."""
    with contest(asked, silent):
        pass


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One repository for all that is refused: its packages are built once."""
    return repository(tmp_path_factory.mktemp("refused") / "toy")


@pytest.mark.alone
def test_each_commit_is_timed_by_its_own_package(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy")
    # Neither what is not committed nor what lies beside the suite is part of a commit.
    (folder / "toy.py").write_text("raise ImportError('not committed')")

    with contest(request(folder), silent) as (bench, cells):
        assert [cell.name for cell in cells] == ["work.Work.time_work(1)", "work.Work.time_work(2)"]
        # 2000 and 8000 steps: fixed calls, CPU time, minimum over processes of medians.
        orders = [Order(cell.places[0], 60, 20) for cell in cells]
        base, head = (
            min(measure(bench.shop, one, orders).answers[0].seconds for _ in range(3))
            for one in bench.arms
        )
        packages = [one.path[0] for one in bench.arms]

    # Four times, but for what each call costs, and what a busy machine does to CPU time.
    assert 2.5 < head / base < 6
    assert [(package / "toy.py").exists() for package in packages] == [True, True]
    assert not list(packages[0].parent.glob("unfinished-*"))

    # Again: nothing is built, the very same folders are used.
    before = [(package / "toy.py").stat().st_ctime_ns for package in packages]
    with contest(request(folder), silent) as (bench, _):
        assert [one.path[0] for one in bench.arms] == packages
    assert [(package / "toy.py").stat().st_ctime_ns for package in packages] == before


def test_both_arms_import_the_suite_once_before_a_comparison_measures(tmp_path: Path) -> None:
    """What a suite compiles on import, it compiles there, and takes no time off a budget."""
    folder = repository(tmp_path / "toy")
    (folder / "benchmarks" / "__init__.py").write_text(
        "import sys, toy\n"
        "if sys.argv[1:] != ['discover']:\n"
        f"    print(toy.__file__, file=open({str(tmp_path / 'told')!r}, 'a'))\n"
    )

    with contest(request(folder), silent) as (bench, _):
        imported = (tmp_path / "told").read_text().splitlines()

        assert imported == [str(arm.path[0] / "toy.py") for arm in bench.arms]


def test_a_commit_that_can_not_be_built_is_one_line_with_the_complaint(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy")
    (folder / "pyproject.toml").write_text("[build-system")
    commit(folder, "x = 1")
    (folder / "pyproject.toml").write_text(PYPROJECT)

    # Twice: what failed is not taken for a package the next time.
    for _ in range(2):
        with pytest.raises(MeasureFailed, match=r"can't be built: ") as refused:
            opened(request(folder))

        assert "build.log" in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"base": "no-such"}, "'no-such' names no commit"),
        ({"base": "blas:mkl"}, "are of two kinds"),
        ({"base": "blas:mkl", "head": "blas:openblas"}, "has no axis CONVBENCH_BLAS"),
        ({"base": "environment:py1", "head": "environment:py2"}, "'py1' names no environment"),
        ({"environment": "conda"}, "'conda' names no environment"),
        ({"bench": "nothing"}, "--bench 'nothing' selects none of the suite's 1 timed benchmarks"),
        ({"bench": "("}, "--bench '(' is no regular expression"),
        ({"base": "strategy:a", "head": "strategy:b"}, "no timed benchmark has the strategy 'a'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(
    toy: Path, asked: dict[str, str], message: str
) -> None:
    with pytest.raises(BadUsage) as refused:
        opened(request(toy, **asked))

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_measurements_do_not_run_at_once(toy: Path) -> None:
    with (
        exclusive(toy / "env"),
        pytest.raises(BadUsage, match="another measurement is running here"),
    ):
        opened(request(toy))


def test_a_build_command_with_an_unknown_placeholder_is_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy", build_command=["python {no_such}"])

    with pytest.raises(BadUsage, match="no_such"):
        opened(request(folder))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["A=1"], "build_command 'A=1' runs nothing"),
        ([""], "build_command '' runs nothing"),
        (["return-code=x python"], "return-code=x: give numbers with commas, or any"),
        (["no-such-program {build_dir}"], "can't be built: no-such-program does not start"),
        (["in-dir=/no/such python"], "does not start in /no/such: No such file or directory"),
        (5, "build_command of the configuration is 5: give a list of lines"),
        ([5], "give a list of lines"),
    ],
)
def test_a_wrong_build_command_is_one_line(tmp_path: Path, command: object, message: str) -> None:
    folder = repository(tmp_path / "toy", build_command=command)

    with pytest.raises(ConvbenchError) as refused:
        opened(request(folder))

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_build_command_may_be_a_single_line_as_in_asv(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy", build_command=CONFIG["build_command"][0])

    opened(request(folder))


@pytest.mark.parametrize("timeout", ["x", -1, [60]])
def test_a_default_timeout_that_is_no_time_is_refused(toy: Path, timeout: object) -> None:
    config = toy / "odd.conf.json"
    config.write_text(json.dumps(CONFIG | {"default_benchmark_timeout": timeout}))

    with pytest.raises(BadUsage, match=r"default_benchmark_timeout is .*: give a positive number"):
        opened(replace(request(toy), config=config))


def test_what_a_killed_comparison_left_is_removed_by_the_next_one(toy: Path) -> None:
    left = toy / ".asv" / "compare" / "run-killed", toy / ".asv/compare/packages/x/unfinished-1"
    for folder in left:
        (folder / "within").mkdir(parents=True)

    opened(request(toy))

    assert [folder for folder in left if folder.exists()] == []


def called(folder: Path, module: object, *words: str) -> tuple[int, list[str]]:
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    said: list[str] = []
    config = ["--config", str(folder / "asv.conf.json")]
    code = module.run(parser.parse_args([*words, *config]), said.append)  # type: ignore[attr-defined]
    return code, said


@pytest.mark.alone
@pytest.mark.slow
def test_a_slower_commit_closes_the_gate_and_a_faster_one_does_not(tmp_path: Path) -> None:
    folder = repository(tmp_path / "toy")
    document = folder / "out.json"
    asked = ["--blocks", "6", "--bench", r"\(1\)", "--json", str(document)]

    code, said = called(folder, gate, "HEAD~1", "HEAD", *asked)

    (cell,) = json.loads(document.read_text())["cells"]
    assert (code, cell["verdict"]) == (1, "SLOWER")
    assert 2.5 < cell["ratio"] < 6
    assert said[-1].startswith("gate closed: work.Work.time_work(1) is slower")

    code, _ = called(folder, gate, "HEAD", "HEAD~1", *asked)

    (cell,) = json.loads(document.read_text())["cells"]
    assert (code, cell["verdict"]) == (0, "FASTER")


def test_misuse_is_an_error_that_the_command_line_turns_into_2(toy: Path) -> None:
    with pytest.raises(ConvbenchError):
        called(toy, gate, "no-such", "HEAD")
