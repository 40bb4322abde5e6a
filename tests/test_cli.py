"""The command line: one line and exit code 2 for what a user can cause, never a traceback."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from asv_tree import result_file, row, write_source

from convbench import cli
from convbench.results import collect

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([name, "--help"])

    assert stopped.value.code == 0
    assert f"convbench {name}" in capsys.readouterr().out


def test_the_version_is_that_of_the_installed_package(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])

    assert capsys.readouterr().out == f"convbench {metadata.version('convbench')}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["collect", "no/such/folder", "--store", "store"], "no/such/folder"),
        (["detect", "no/such/store"], "no/such/store"),
        (["report", "no/such/store"], "no/such/store"),
        (["measure", "no-such-commit"], "'no-such-commit' names no commit"),
        (["measure", "HEAD", "--config", "no/asv.conf.json"], "no asv configuration"),
        (["measure", "HEAD", "--machine", "a/b"], "machine name 'a/b'"),
        (["explain", "--input", "32x32", "--filters", "10x2x2"], "32x32"),
        (
            ["explain", "--input", "32x32x3", "--filters", "10x2x2", "--stride", "-1"],
            "stride",
        ),
    ],
)
def test_a_wrong_request_gets_one_clear_line(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(ROOT if words[0] == "measure" else tmp_path)

    code = cli.main(words)

    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
    assert error.startswith("convbench: ")


def test_an_unknown_command_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = cli.main(["measur"])

    error = capsys.readouterr().err
    assert code == 2
    assert all(name in error for name in cli.COMMANDS)


def test_a_reader_that_stops_early_causes_no_complaint() -> None:
    command = (
        f"{sys.executable} -c 'from convbench.cli import say; [say(str(i)) for i in range(99999)]'"
    )

    answer = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True)

    assert (answer.stdout, answer.stderr) == ("0\n", "")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose environment has a name that Latin-1 lacks."""
    text = result_file({"a": row([1.0])}, env_name="名前 é")
    collect(write_source(tmp_path / "p", {"m/a.json": text}), tmp_path / "store")
    return tmp_path / "store"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run what follows `convbench` in a shell line."""
    return subprocess.run(
        f"{sys.executable} -m convbench.cli {command}",
        shell=True,
        capture_output=True,
        env=os.environ | environment,
    )


def test_a_name_that_the_encoding_lacks_is_escaped(store: Path) -> None:
    answer = shell(f"inventory {store}", PYTHONIOENCODING="latin-1")

    assert (answer.returncode, answer.stderr) == (0, b"")
    assert rb"m, \u540d\u524d " + "é".encode("latin-1") in answer.stdout


def test_without_an_open_stdout_commands_work_and_exports_ask_for_a_file(store: Path) -> None:
    silent = shell(f"inventory {store} >&-")
    refused = shell(f"export {store} --format csv >&-")

    assert (silent.returncode, silent.stderr) == (0, b"")
    assert refused.returncode == 2
    assert refused.stderr == b"convbench: stdout is closed; give --output FILE\n"


def test_without_an_open_stderr_an_error_does_not_go_among_the_output(tmp_path: Path) -> None:
    answer = shell(f"inventory {tmp_path} 2>&-")

    assert (answer.returncode, answer.stdout) == (2, b"")
