import ast
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from wheel_records import assert_record_is_true

from convbench import wheels

SCRIPT = Path(wheels.__file__)
MKL = wheels.BACKENDS["mkl"]
Finished = subprocess.CompletedProcess[str]

needs_compiler = pytest.mark.skipif(
    not all(map(shutil.which, ("gcc", "nm"))), reason="gcc and nm build the shim"
)


# The environment that runs the tests must survive a fault of ours: its pip finds no package.
NO_PACKAGES = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}


def run_in(python: str | Path, *arguments: str | Path, **variables: str) -> Finished:
    """Run wheels.py as asv does, with a few more environment variables."""
    dropped = ("CONVBENCH_BLAS", "ASV_ENV_TYPE", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if name not in dropped}
    command = [python, *arguments]
    environment = {**inherited, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def run_here(*arguments: str | Path, **variables: str) -> Finished:
    """Run wheels.py where it must not change anything."""
    return run_in(sys.executable, SCRIPT, *arguments, **NO_PACKAGES, **variables)


def assert_one_line_error(finished: Finished, *words: str) -> None:
    assert finished.returncode == 2, finished
    assert finished.stderr.count("\n") == 1, finished.stderr
    assert all(word in finished.stderr for word in words), finished.stderr


# A plain file


def test_the_file_imports_the_standard_library_alone() -> None:
    tree = ast.parse(SCRIPT.read_text())
    names = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("given", ["atlas", ""])
def test_an_unknown_blas_is_answered_with_the_accepted_names(given: str, tmp_path: Path) -> None:
    finished = run_here("--cache", tmp_path / "cache", CONVBENCH_BLAS=given)
    assert_one_line_error(finished, repr(given), "openblas, mkl, netlib, blis")


def test_the_option_wins_over_the_variable() -> None:
    assert "'atlas'" in run_here("--blas", "atlas", CONVBENCH_BLAS="openblas").stderr


@pytest.mark.parametrize("provider", ["conda", "rattler"])
def test_conda_environments_are_left_alone(provider: str, tmp_path: Path) -> None:
    finished = run_here("--cache", tmp_path / "cache", ASV_ENV_TYPE=provider, CONVBENCH_BLAS="mkl")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert not list(tmp_path.iterdir())


def test_stock_wheels_are_openblas_builds_already(tmp_path: Path) -> None:
    finished = run_here("--cache", tmp_path / "cache", CONVBENCH_BLAS="openblas")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("blas", wheels.BLAS_NAMES)
def test_an_environment_without_numpy_is_an_error(blas: str, tmp_path: Path) -> None:
    finished = run_in(
        sys.executable, "-I", "-S", SCRIPT, "--cache", tmp_path, CONVBENCH_BLAS=blas, **NO_PACKAGES
    )
    assert_one_line_error(finished, "numpy is not installed", "matrix.req")


@pytest.mark.parametrize("present", [(), ("gcc",), ("nm",)])
def test_missing_tools_are_named_before_anything_is_written(
    present: tuple[str, ...], tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in present:
        (tools / tool).symlink_to("/bin/true")
    finished = run_here("--cache", tmp_path / "cache", PATH=str(tools), CONVBENCH_BLAS="mkl")
    missing = " and ".join(tool for tool in ("gcc", "nm") if tool not in present)
    assert_one_line_error(finished, f"{missing} not found", "shim", "apt-get install gcc binutils")
    assert not (tmp_path / "cache").exists()


def test_other_hosts_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("ASV_ENV_TYPE", raising=False)
    monkeypatch.setattr(wheels.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(wheels, "pip", lambda *_, **__: pytest.fail("pip was called"))
    assert wheels.main(["--blas", "mkl", "--cache", str(tmp_path / "cache")]) == 2
    assert "Linux x86-64, not on linux aarch64" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


# The system's libraries


def moved(monkeypatch: pytest.MonkeyPatch, blas: str, folder: Path) -> wheels.Backend:
    """Let the libraries of a build lie in another folder than Debian's."""
    backend = dataclasses.replace(wheels.BACKENDS[blas], folder=folder)
    monkeypatch.setitem(wheels.BACKENDS, blas, backend)
    return backend


def with_libraries(monkeypatch: pytest.MonkeyPatch, blas: str, folder: Path) -> wheels.Backend:
    backend = moved(monkeypatch, blas, folder)
    for name in backend.libraries:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return backend


@needs_compiler
@pytest.mark.parametrize("blas", ["netlib", "blis"])
def test_missing_libraries_are_named_with_the_command_that_installs_them(
    blas: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("ASV_ENV_TYPE", raising=False)
    monkeypatch.setattr(wheels, "pip", lambda *_, **__: pytest.fail("pip was called"))
    backend = with_libraries(monkeypatch, blas, tmp_path / "system")
    (tmp_path / "system" / backend.libraries[-1]).unlink()

    assert wheels.main(["--blas", blas, "--cache", str(tmp_path / "cache")]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'system' / backend.libraries[-1]} not found" in line
    assert backend.libraries[0] not in line
    assert f"apt-get install {' '.join(backend.debian)}" in line
    assert not (tmp_path / "cache").exists()


@needs_compiler
def test_the_host_is_checked_for_the_wanted_builds_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    moved(monkeypatch, "blis", tmp_path)
    wheels.check_host("mkl")
    with pytest.raises(wheels.WheelsError, match=r"the blis build .* apt-get install"):
        wheels.check_host("mkl", "blis")


@pytest.mark.parametrize("blas", ["netlib", "blis"])
def test_each_library_has_a_folder_and_a_package(blas: str) -> None:
    backend = wheels.BACKENDS[blas]
    for interface in (backend.ilp64, backend.lp64):
        folders = [str(wheels.DEBIAN / Path(name).parent) for name in interface.libraries]
        # update-alternatives rules over the links that lie in the folder above.
        assert all(Path(folder).parent == wheels.DEBIAN for folder in folders)
        assert backend.rpath(interface).split(":") == list(dict.fromkeys(folders))
    assert MKL.rpath(MKL.lp64) == "$ORIGIN/../../.."
    # One package for the BLAS and one for the LAPACK of each width.
    assert len(backend.debian) == 4


def test_a_build_on_the_systems_libraries_asks_pip_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wheels, "pip", lambda *_, **__: pytest.fail("pip was called"))
    wheels.install_packages(wheels.BACKENDS["netlib"].packages)
    assert wheels.has_packages("netlib")


def test_another_library_of_the_system_is_another_recipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backend = with_libraries(monkeypatch, "blis", tmp_path)
    recipes = {wheels.recipe("blis")}
    for name in backend.libraries:
        (tmp_path / name).write_text("another version")
        recipes.add(wheels.recipe("blis"))
    assert len(recipes) == 1 + len(backend.libraries)
    assert wheels.recipe("blis") in recipes


# The cache folder


def test_the_default_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert wheels.parse_arguments([]).cache == tmp_path / "convbench" / "wheels"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert wheels.parse_arguments([]).cache == Path("/home/someone/.cache/convbench/wheels")


# Names


@pytest.mark.parametrize(
    ("name", "ilp64", "target"),
    [
        ("scipy_cblas_dgemm64_", True, "cblas_dgemm_64"),
        ("scipy_cblas_zdotc_sub64_", True, "cblas_zdotc_sub_64"),
        ("scipy_dgesv_64_", True, "dgesv_64_"),
        ("scipy_dgemm_", False, "dgemm_"),
        ("scipy_chla_transtype_", False, "chla_transtype_"),
        ("scipy_cblas_dgemm", False, "cblas_dgemm"),
    ],
)
def test_symbols_translate_to_the_names_of_mkl(name: str, ilp64: bool, target: str) -> None:
    interface = MKL.ilp64 if ilp64 else MKL.lp64
    assert wheels.Symbol.parse(name, ilp64).target(interface) == target


@pytest.mark.parametrize("blas", ["netlib", "blis"])
@pytest.mark.parametrize("width", ["", "64_"])
def test_symbols_translate_to_plain_names_in_debians_libraries(blas: str, width: str) -> None:
    backend = wheels.BACKENDS[blas]
    interface = backend.ilp64 if width else backend.lp64
    fortran, cblas = (
        wheels.Symbol.parse(name, bool(width)).target(interface)
        for name in (f"scipy_dgemm_{width}", f"scipy_cblas_dgemm{width}")
    )
    assert (fortran, cblas) == ("dgemm_", "cblas_dgemm")


@pytest.mark.parametrize(("name", "ilp64"), [("dgemm_", False), ("scipy_dgesv_", True)])
def test_a_foreign_symbol_is_an_error(name: str, ilp64: bool) -> None:
    with pytest.raises(wheels.WheelsError, match=name):
        wheels.Symbol.parse(name, ilp64)


def test_renaming_a_library_moves_no_byte_of_a_module() -> None:
    old, new = f"{wheels.BUNDLED_PREFIX}64_-ab.so", f"{wheels.SHIM_PREFIX}64_-ab.so"
    module = b"\x7fELF\0" + old.encode() + b"\0tail"
    assert wheels.rename_library(module, old, new) == b"\x7fELF\0" + new.encode() + b"\0tail"
    with pytest.raises(ValueError, match="as long as"):
        wheels.rename_library(module, old, "shorter.so")


def test_the_name_of_the_shim_is_no_openblas() -> None:
    assert "openblas" not in wheels.SHIM_PREFIX  # threadpoolctl would take it for one
    assert len(wheels.SHIM_PREFIX) == len(wheels.BUNDLED_PREFIX)


def test_a_retargeted_wheel_is_named_by_its_local_version() -> None:
    official = Path("numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl")
    name = wheels.WheelName.parse(official).over("mkl")
    assert name.file == "numpy-2.4.6+mkl-cp311-cp311-linux_x86_64.whl"
    assert name.info == "numpy-2.4.6+mkl.dist-info"


# Rewritten files


def test_metadata_states_version_and_requirement_in_its_header_only() -> None:
    text = b"Metadata-Version: 2.4\nName: numpy\nVersion: 2.4.6\nSummary: s\n\nVersion: old\n"
    assert wheels.rewrite_metadata(text, "2.4.6+mkl", ["mkl==1"]) == (
        b"Metadata-Version: 2.4\nName: numpy\nVersion: 2.4.6+mkl\nRequires-Dist: mkl==1\n"
        b"Summary: s\n\nVersion: old\n"
    )
    assert wheels.rewrite_metadata(text, "2.4.6+blis", []) == text.replace(
        b"Version: 2.4.6", b"Version: 2.4.6+blis"
    )


def test_the_wheel_claims_one_tag() -> None:
    text = b"Wheel-Version: 1.0\nTag: cp311-cp311-a\nTag: cp311-cp311-b\n\n"
    expected = b"Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n\n"
    assert wheels.rewrite_tags(text, "cp311-cp311-linux_x86_64") == expected


BUILD_INFORMATION = b"""CONFIG = {
    "Build Dependencies": {
        "blas": {
            "name": "scipy-openblas",
            "version": "0.3.30",
            "openblas configuration": r"OpenBLAS 0.3.30",
            "has ilp64": bool("True".lower().replace('false', '')),
        },
        "lapack": {"name": "scipy-openblas", "version": "0.3.30"},
        "pybind11": {"name": "pybind11"},
    }
}
"""


def test_build_information_names_the_blas_and_keeps_what_scipy_reads() -> None:
    names: dict[str, dict[str, dict[str, dict[str, object]]]] = {}
    exec(wheels.rewrite_build_information(BUILD_INFORMATION, "mkl"), names)
    found = names["CONFIG"]["Build Dependencies"]
    assert found["blas"]["name"] == found["lapack"]["name"] == "mkl"
    assert found["blas"]["has ilp64"] is True
    assert found["pybind11"] == {"name": "pybind11"}
    assert "openblas" not in str(found).lower()


def test_record_lists_every_file_with_its_hash(tmp_path: Path) -> None:
    files = {"p/a,b.py": b"1", "p/__init__.py": b"", "p-1.dist-info/RECORD": b"stale"}
    files["p-1.dist-info/RECORD"] = wheels.record(files, "p-1.dist-info")
    assert_record_is_true(wheels.write_wheel(files, tmp_path / "p-1-py3-none-any.whl"))


def test_equal_files_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    first = wheels.write_wheel({"a": b"1", "b": b"2"}, tmp_path / "first.whl")
    second = wheels.write_wheel({"b": b"2", "a": b"1"}, tmp_path / "second.whl")
    assert first.read_bytes() == second.read_bytes()


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupt)
    with pytest.raises(KeyboardInterrupt):
        wheels.write_wheel({"a": b"1"}, tmp_path / "a.whl")
    assert not list(tmp_path.iterdir())


# The cache


class FakeIndex:
    """Stands for pip: every download writes the same bytes under an official name."""

    NAME = "numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl"

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.downloads = 0

    def __call__(self, *arguments: str) -> None:
        assert arguments[-1] == "numpy===2.4.6"
        self.downloads += 1
        Path(arguments[arguments.index("--dest") + 1], self.NAME).write_bytes(self.content)


@pytest.fixture
def intact(tmp_path: Path) -> bytes:
    return wheels.write_wheel({"numpy/a.py": b"x" * 999}, tmp_path / "intact.whl").read_bytes()


def test_an_official_wheel_is_downloaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intact: bytes
) -> None:
    index = FakeIndex(intact)
    monkeypatch.setattr(wheels, "pip", index)
    first = wheels.official_wheel("numpy", "2.4.6", tmp_path / "cache")
    assert wheels.official_wheel("numpy", "2.4.6", tmp_path / "cache") == first
    assert index.downloads == 1
    assert [path.name for path in first.parent.iterdir()] == [FakeIndex.NAME]


@pytest.mark.parametrize("damage", [lambda b: b[:-30], lambda b: b[:40] + b"?" + b[41:]])
def test_a_damaged_cached_download_is_replaced(
    damage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intact: bytes, capsys
) -> None:
    monkeypatch.setattr(wheels, "pip", FakeIndex(intact))
    cached = wheels.official_wheel("numpy", "2.4.6", tmp_path / "cache")
    cached.write_bytes(damage(intact))
    assert wheels.official_wheel("numpy", "2.4.6", tmp_path / "cache") == cached
    assert cached.read_bytes() == intact
    assert "damaged: downloading it again" in capsys.readouterr().out


def test_a_damaged_download_never_reaches_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intact: bytes
) -> None:
    monkeypatch.setattr(wheels, "pip", FakeIndex(intact[:-30]))
    with pytest.raises(wheels.WheelsError, match="damaged: run this again"):
        wheels.official_wheel("numpy", "2.4.6", tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_retargeted_wheel_is_made_once_per_recipe_and_again_when_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intact: bytes
) -> None:
    made: list[Path] = []

    def fake_retarget(wheel: Path, blas: str, output: Path, _: Path) -> Path:
        output.mkdir(parents=True, exist_ok=True)
        made.append(output / wheels.WheelName.parse(wheel).over(blas).file)
        made[-1].write_bytes(intact)
        return made[-1]

    monkeypatch.setattr(wheels, "retarget", fake_retarget)
    official = tmp_path / FakeIndex.NAME
    official.write_bytes(intact)

    first = wheels.cached_retarget(official, "mkl", tmp_path)
    assert wheels.cached_retarget(official, "mkl", tmp_path) == first
    assert len(made) == 1
    first.write_bytes(intact[:-30])
    assert wheels.cached_retarget(official, "mkl", tmp_path) == first
    assert len(made) == 2
    monkeypatch.setattr(wheels, "RECIPE", wheels.RECIPE + 1)
    assert wheels.cached_retarget(official, "mkl", tmp_path) != first


def test_a_build_of_an_older_recipe_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "somearray-1.0+mkl.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somearray\nVersion: 1.0+mkl\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not wheels.is_build_of("mkl", "somearray", "1.0+mkl")
    (info / wheels.PROVENANCE).write_text(wheels.recipe("mkl") + "made from: x\n")
    assert wheels.is_build_of("mkl", "somearray", "1.0+mkl")
    assert not wheels.is_build_of("openblas", "somearray", "1.0+mkl")
    monkeypatch.setattr(wheels, "RECIPE", wheels.RECIPE + 1)
    assert not wheels.is_build_of("mkl", "somearray", "1.0+mkl")


# A wheel and a BLAS of three functions


MODULE_SOURCE = """
double scipy_ddot_(int *, double *, int *, double *, int *);
double _Complex scipy_zdotc_(int *, void *, int *, void *, int *);
double _Complex scipy_zladiv_(void *, void *);
double ddot(int n, double *x, double *y) { int one = 1; return scipy_ddot_(&n, x, &one, y, &one); }
void zdotc(int n, void *x, void *y, double _Complex *out)
{ int one = 1; *out = scipy_zdotc_(&n, x, &one, y, &one); }
void zladiv(void *x, void *y, double _Complex *out) { *out = scipy_zladiv_(x, y); }
"""
BUNDLED_SOURCE = """
double scipy_ddot_(void) { return -1; }
double _Complex scipy_zdotc_(void) { return -1; }
double _Complex scipy_zladiv_(void) { return -1; }
"""
# The conventions of libmkl_rt: results that are complex go through a pointer.
BLAS_SOURCE = """
double ddot_(int *n, double *x, int *ix, double *y, int *iy)
{ double sum = 0; for (int i = 0; i < *n; i++) sum += x[i * *ix] * y[i * *iy]; return sum; }
void cblas_zdotc_sub(int n, double _Complex *x, int ix, double _Complex *y, int iy,
                     double _Complex *out)
{ *out = 0; for (int i = 0; i < n; i++) *out += ~x[i * ix] * y[i * iy]; }
void zdotc_(void) {}
void zladiv_(double _Complex *out, double _Complex *x, double _Complex *y) { *out = *x / *y; }
"""
LOADS_THE_MODULE = """
import ctypes, json, sys
module = ctypes.CDLL(sys.argv[1])
module.ddot.restype = ctypes.c_double
vector = lambda *numbers: (ctypes.c_double * len(numbers))(*numbers)
dot, divided = vector(0, 0), vector(0, 0)
module.zdotc(2, vector(1, 2, 3, 4), vector(5, 6, 7, 8), dot)
module.zladiv(vector(1, 2), vector(3, -4), divided)
lines = [line.split() for line in open("/proc/self/maps")]
mapped = list(dict.fromkeys(columns[5] for columns in lines if len(columns) > 5))
print(json.dumps([module.ddot(2, vector(1, 2), vector(3, 4)), [*dot], [*divided], mapped]))
"""


def compile_library(source: str, library: Path, *options: str) -> Path:
    library.parent.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", str(library)]
    command += [f"-Wl,-soname,{library.name}", *options]
    subprocess.run(command, input=source, text=True, check=True)
    return library


@pytest.fixture
def small_wheel(tmp_path: Path) -> Path:
    bundled = compile_library(BUNDLED_SOURCE, tmp_path / "build" / "libscipy_openblas-abc123.so")
    rpath = "-Wl,-rpath,$ORIGIN/../numpy.libs"
    module = tmp_path / "build" / "core.so"
    compile_library(MODULE_SOURCE, module, rpath, f"-L{bundled.parent}", f"-l:{bundled.name}")
    files = {
        "numpy/core.so": module.read_bytes(),
        "numpy/__config__.py": BUILD_INFORMATION,
        f"numpy.libs/{bundled.name}": bundled.read_bytes(),
        "numpy-1.0.dist-info/METADATA": b"Name: numpy\nVersion: 1.0\n\nText\n",
        "numpy-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: cp311-cp311-manylinux\n",
        "numpy-1.0.dist-info/RECORD": b"stale",
    }
    return wheels.write_wheel(files, tmp_path / "numpy-1.0-cp311-cp311-manylinux_x86_64.whl")


@needs_compiler
def test_a_retargeted_module_calls_the_other_blas(small_wheel: Path, tmp_path: Path) -> None:
    library = compile_library(BLAS_SOURCE, tmp_path / "env" / "lib" / MKL.lp64.libraries[0])
    made = wheels.retarget(small_wheel, "mkl", tmp_path / "made", library.parent)
    again = wheels.retarget(small_wheel, "mkl", tmp_path / "again", library.parent)
    assert made.read_bytes() == again.read_bytes()
    assert_record_is_true(made)

    packages = library.parent / "python3" / "site-packages"  # where the shim's RPATH looks from
    assert_computes(made, packages)
    assert not list(packages.rglob("*openblas*"))


def assert_computes(made: Path, packages: Path, **variables: str) -> list[str]:
    """Unpack a retargeted wheel, call its module, and return the files that were mapped."""
    with zipfile.ZipFile(made) as archive:
        archive.extractall(packages)
    finished = run_in(
        sys.executable, "-c", LOADS_THE_MODULE, packages / "numpy" / "core.so", **variables
    )
    assert finished.returncode == 0, finished.stderr
    ddot, zdotc, zladiv, mapped = json.loads(finished.stdout)
    assert ddot == 1 * 3 + 2 * 4
    assert complex(*zdotc) == (1 - 2j) * (5 + 6j) + (3 - 4j) * (7 + 8j)
    assert complex(*zladiv) == pytest.approx((1 + 2j) / (3 - 4j))
    return mapped


# gfortran's conventions, in three files as Debian has them: BLIS, its second copy under the name
# that LAPACK asks for, and a LAPACK, whose division calls the BLAS.
BLIS_SOURCE = """
double ddot_(int *n, double *x, int *ix, double *y, int *iy)
{ double sum = 0; for (int i = 0; i < *n; i++) sum += x[i * *ix] * y[i * *iy]; return sum; }
double _Complex zdotc_(int *n, double _Complex *x, int *ix, double _Complex *y, int *iy)
{ double _Complex sum = 0; for (int i = 0; i < *n; i++) sum += ~x[i * *ix] * y[i * *iy];
  return sum; }
"""
WRONG_SOURCE = "double ddot_(void) { return 1000; }"
LAPACK_SOURCE = """
double ddot_(int *, double *, int *, double *, int *);
double _Complex zladiv_(double _Complex *x, double _Complex *y)
{ int one = 1; double unity = 1; return ddot_(&one, &unity, &one, &unity, &one) * *x / *y; }
"""


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make a folder of libraries like Debian's, and let the blis build use it."""
    folder = tmp_path / "system"
    blis, copy, lapack = (
        folder / name for name in moved(monkeypatch, "blis", folder).lp64.libraries
    )
    compile_library(BLIS_SOURCE, blis)
    compile_library(WRONG_SOURCE, copy)
    compile_library(LAPACK_SOURCE, lapack, f"-L{copy.parent}", f"-l:{copy.name}")
    for name in wheels.BACKENDS["blis"].ilp64.libraries:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("of the other width")
    return folder


@needs_compiler
def test_lapack_runs_on_blis_whatever_else_the_loader_could_find(
    small_wheel: Path, system: Path, tmp_path: Path
) -> None:
    made = wheels.retarget(small_wheel, "blis", tmp_path / "made", system)
    # What update-alternatives or a user's shell would offer.
    other = compile_library(WRONG_SOURCE, tmp_path / "alternatives" / "libblas.so.3")

    mapped = assert_computes(made, tmp_path / "site-packages", LD_LIBRARY_PATH=str(other.parent))

    wanted = {str(system / name) for name in wheels.BACKENDS["blis"].lp64.libraries}
    assert wanted <= set(mapped)
    assert str(other) not in mapped
    with zipfile.ZipFile(made) as archive:
        assert b"Requires-Dist" not in archive.read("numpy-1.0+blis.dist-info/METADATA")
        told = archive.read(f"numpy-1.0+blis.dist-info/{wheels.PROVENANCE}").decode()
    assert told.startswith(wheels.recipe("blis"))


@needs_compiler
def test_a_function_that_no_library_has_is_named(
    small_wheel: Path, system: Path, tmp_path: Path
) -> None:
    lapack = system / wheels.BACKENDS["blis"].lp64.libraries[-1]
    compile_library("void dgesv_(void) {}", lapack)
    with pytest.raises(
        wheels.WheelsError, match=r"1 of the 3 .* and liblapack.so.3 \(first: zladiv_\)"
    ):
        wheels.retarget(small_wheel, "blis", tmp_path / "made", system)
    assert not (tmp_path / "made").exists()


@needs_compiler
def test_a_library_that_lacks_a_function_is_refused(small_wheel: Path, tmp_path: Path) -> None:
    library = compile_library("void ddot_(void) {}", tmp_path / "lib" / MKL.lp64.libraries[0])
    with pytest.raises(
        wheels.WheelsError, match=r"2 of the 3 .* not in libmkl_rt.*zdotc_, zladiv_"
    ):
        wheels.retarget(small_wheel, "mkl", tmp_path / "made", library.parent)
    assert not (tmp_path / "made").exists()
