"""What is published: the wheel and the sdist hold what users need, and are made alike each time."""

import email.message
import email.parser
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the distributions are made of, so that nothing is written into this one."""
    folder = tmp_path_factory.mktemp("tree")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True)
    if answer.returncode:
        pytest.skip("no git repository says which files belong to the project")
    for name in filter(None, answer.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def built(tree: Path, output: Path, *options: str) -> dict[str, Path]:
    """Build as `python -m build` does, with the build backend of this environment."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), *options]
    subprocess.run([*command, str(tree)], check=True, env=environment, capture_output=True)
    return {"wheel" if path.suffix == ".whl" else "sdist": path for path in output.iterdir()}


@pytest.fixture(scope="module")
def distributions(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is made of it."""
    return built(tree, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def metadata(distributions: dict[str, Path]) -> email.message.Message:
    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        return email.parser.Parser().parsestr(wheel.read(name).decode())


def package_files(tree: Path) -> set[str]:
    files = (tree / "src").rglob("*")
    return {path.relative_to(tree / "src").as_posix() for path in files if path.is_file()}


def test_both_hold_the_whole_package_with_its_data(
    tree: Path, distributions: dict[str, Path]
) -> None:
    expected = package_files(tree)
    assert {Path(name).suffix for name in expected} >= {".py", ".j2", ".js", ".css", ".typed"}

    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected
    with tarfile.open(distributions["sdist"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {name.removeprefix("src/") for name in names if name.startswith("src/")} == expected
    assert names - {f"src/{name}" for name in expected} == {
        *("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "pyproject.toml", "PKG-INFO")
    }


def test_the_same_commit_gives_the_same_bytes_of_the_sdist_and_without_it(
    tree: Path, distributions: dict[str, Path], tmp_path: Path
) -> None:
    for path in tree.rglob("*"):  # as in another clone
        os.utime(path, (1_600_000_000, 1_600_000_000))

    again = built(tree, tmp_path / "again", "--sdist") | built(tree, tmp_path / "direct", "--wheel")

    for kind, path in distributions.items():
        assert again[kind].name == path.name
        assert again[kind].read_bytes() == path.read_bytes()


def test_metadata_tell_what_the_project_is(metadata: email.message.Message) -> None:
    classifiers = metadata.get_all("Classifier", [])

    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Summary"] == PROJECT["description"]
    assert metadata["Description-Content-Type"].startswith("text/markdown")
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= set(
        classifiers
    )
    assert "Typing :: Typed" in classifiers
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    # The project has no public address: an invented one could become somebody else's.
    assert metadata.get_all("Project-URL") is None


def test_the_command_is_an_entry_point(distributions: dict[str, Path]) -> None:
    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
        assert wheel.read(name).decode().split() == [
            *("[console_scripts]", "convbench=convbench.cli:main")
        ]


USE = """\
import numpy as np
from convbench import STRATEGIES, conv2d

output = conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), stride=2, strategy="im2col")
reveal_type(output)
reveal_type(STRATEGIES["im2col"].name)
conv2d(output, output, stride="two")
"""


def test_type_checkers_of_users_see_the_types(
    distributions: dict[str, Path], tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    minor = ".".join(map(str, sys.version_info[:2]))
    packages = environment / "lib" / f"python{minor}" / "site-packages"
    with zipfile.ZipFile(distributions["wheel"]) as wheel:
        wheel.extractall(packages)
    # What it needs, from here; the wheel's own package is found first.
    (packages / "needs.pth").write_text(sysconfig.get_path("purelib"))
    (tmp_path / "use.py").write_text(USE)
    python = ["--python-executable", str(environment / "bin" / "python")]

    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *python, "use.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
    )

    lines = answer.stdout.splitlines()
    assert [line for line in lines if "py.typed" in line] == []
    assert 'Revealed type is "numpy.ndarray[' in lines[0]
    assert 'Revealed type is "str"' in lines[1]
    assert 'Argument "stride" to "conv2d" has incompatible type "str"' in lines[2]
    assert lines[-1].startswith("Found 1 error")


@pytest.mark.slow
def test_what_is_installed_does_what_readme_promises() -> None:
    answer = subprocess.run(
        [ROOT / "ci" / "install_matrix.sh", sys.executable], capture_output=True, text=True
    )

    assert answer.returncode == 0, answer.stderr
    heading, *rows = (line.split() for line in answer.stdout.splitlines())
    assert heading == ["Python", "from", "seconds", "MB", "works"]
    assert [(row[1], row[4]) for row in rows] == [("sdist", "yes"), ("wheel", "yes")]
