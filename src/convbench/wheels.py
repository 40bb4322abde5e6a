"""BLAS builds from PyPI wheels: the same compiled NumPy and SciPy over another BLAS.

asv runs this file inside each virtualenv environment, before convbench is installed there, so it
uses the standard library alone and imports nothing of convbench:

    python src/convbench/wheels.py --blas mkl --cache DIRECTORY

The official wheels for Linux x86-64 bring OpenBLAS as one file,
``<project>.libs/libscipy_openblas*.so``, whose symbols carry the prefix ``scipy_``. Retargeting
puts a shim of a few kilobytes in its place, with one jump per needed symbol into the other BLAS.
So a difference between two builds is the BLAS and nothing else. The new wheel says what it is by
its local version, ``2.4.6+mkl``; it is made for local measurements and must not be published.

MKL comes from the package index, netlib's reference BLAS and BLIS from Debian. A function that the
other library lacks would end a process in the middle of a measurement, so such a wheel is not made:
the error names the function.

    cache/official/<python abi>/     wheels as the package index has them
    cache/retargeted/<blas>-<key>/   made here; the key hashes the official wheel and the recipe
"""

import argparse
import base64
import csv
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# Part of the cache's key: raise it when the bytes of a retargeted wheel would change.
RECIPE = 1
PROJECTS = ("numpy", "scipy")
CONDA_PROVIDERS = ("conda", "mamba", "rattler")
# Written into the dist-info folder: what the wheel was made from, and by which recipe.
PROVENANCE = "RETARGETED"
# threadpoolctl takes every lib*openblas* for OpenBLAS and crashes on a shim, which has none of its
# configuration calls. The new name has the same length because it overwrites the old one in place.
BUNDLED_PREFIX, SHIM_PREFIX = "libscipy_openblas", "libretarget_blas_"
# What zipfile raises on a damaged file, by where the damage lies.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


class WheelsError(Exception):
    """What a user can cause or mend; its text is the whole message."""


@dataclass(frozen=True)
class Interface:
    """What a BLAS offers for one width of integers.

    Parameters
    ----------
    fortran, cblas
        How it spells the functions.
    libraries
        Files below the backend's folder, in the order in which the loader searches them: the first
        one that has a function serves it, to LAPACK as well.
    """

    fortran: str
    cblas: str
    libraries: tuple[str, ...]


@dataclass(frozen=True)
class Backend:
    """A BLAS that can stand in for the bundled OpenBLAS.

    Parameters
    ----------
    ilp64, lp64
        Functions that take 64-bit integers (NumPy) and 32-bit integers (SciPy).
    packages
        Requirements that pip installs; the first one becomes one of the retargeted wheels.
    debian
        Debian's packages, which only the system's administrator installs.
    folder
        Where the system has the libraries; None where `packages` put them into the environment.
    complex_by_pointer
        Whether a complex result is stored through a hidden first pointer, as by Intel's compilers.
        gfortran, which the wheels follow, returns it in registers.
    """

    ilp64: Interface
    lp64: Interface
    packages: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    folder: Path | None = None
    complex_by_pointer: bool = False

    @property
    def libraries(self) -> tuple[str, ...]:
        """Files for both widths."""
        return tuple(dict.fromkeys(self.ilp64.libraries + self.lp64.libraries))

    def rpath(self, interface: Interface) -> str:
        """Folders that the loader searches before all others.

        They are the exact ones: what stands in `/usr/lib/x86_64-linux-gnu` itself are links that
        `update-alternatives` leads to any BLAS.
        """
        # site-packages, python3.x, lib: PyPI's mkl fills <env>/lib.
        root = self.folder or Path("$ORIGIN/../../..")
        return ":".join(dict.fromkeys(str(Path(root, f).parent) for f in interface.libraries))


DEBIAN = Path("/usr/lib/x86_64-linux-gnu")

# openblas is no backend: the official wheels are OpenBLAS builds already.
BACKENDS: Mapping[str, Backend] = {
    "mkl": Backend(
        ilp64=Interface("{}_64_", "cblas_{}_64", libraries=("libmkl_rt.so.3",)),
        lp64=Interface("{}_", "cblas_{}", libraries=("libmkl_rt.so.3",)),
        packages=("mkl==2026.2.0", "intel-openmp==2026.2.0", "tbb==2023.2.0"),
        complex_by_pointer=True,
    ),
    "netlib": Backend(
        ilp64=Interface(
            "{}_", "cblas_{}", libraries=("blas64/libblas64.so.3", "lapack64/liblapack64.so.3")
        ),
        lp64=Interface("{}_", "cblas_{}", libraries=("blas/libblas.so.3", "lapack/liblapack.so.3")),
        debian=("libblas64-3", "liblapack64-3", "libblas3", "liblapack3"),
        folder=DEBIAN,
    ),
    # BLIS has no LAPACK; netlib's, as Debian builds it, asks for a libblas.so.3. Debian's BLIS has
    # a file of that name, a second copy that nothing calls: libblis.so.4 is searched before it, and
    # threadpoolctl can set its threads.
    "blis": Backend(
        ilp64=Interface(
            "{}_",
            "cblas_{}",
            libraries=(
                *("blis64-pthread/libblis64.so.4", "blis64-pthread/libblas64.so.3"),
                "lapack64/liblapack64.so.3",
            ),
        ),
        lp64=Interface(
            "{}_",
            "cblas_{}",
            libraries=(
                *("blis-pthread/libblis.so.4", "blis-pthread/libblas.so.3"),
                "lapack/liblapack.so.3",
            ),
        ),
        debian=("libblis64-4-pthread", "liblapack64-3", "libblis4-pthread", "liblapack3"),
        folder=DEBIAN,
    ),
}
BLAS_NAMES = ("openblas", *BACKENDS)


# The command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 2 with one line on stderr."""
    options = parse_arguments(arguments)
    provider = os.environ.get("ASV_ENV_TYPE", "")
    if provider in CONDA_PROVIDERS:
        say(f"the BLAS of a {provider} environment comes from its channel: nothing to do")
        return 0
    try:
        provide(options.blas, options.cache)
    except (WheelsError, OSError) as error:
        print(f"wheels.py: {error}", file=sys.stderr)
        return 2
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; CONVBENCH_BLAS and XDG_CACHE_HOME supply the defaults."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(
        prog="wheels.py", description="Install NumPy and SciPy over the wanted BLAS."
    )
    parser.add_argument(
        "--blas",
        default=os.environ.get("CONVBENCH_BLAS", ""),
        help=f"one of {', '.join(BLAS_NAMES)} (default: $CONVBENCH_BLAS)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=caches / "convbench" / "wheels",
        help="folder of downloaded and retargeted wheels (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def provide(blas: str, cache: Path) -> None:
    """Make the running environment's NumPy and SciPy compute with this BLAS."""
    if blas not in BLAS_NAMES:
        accepted = ", ".join(BLAS_NAMES)
        raise WheelsError(f"unknown BLAS {blas!r}: --blas or CONVBENCH_BLAS accept {accepted}")
    installed = installed_versions()
    changes = {project: v for project, v in installed.items() if not is_build_of(blas, project, v)}
    if not changes and has_packages(blas):
        builds = " and ".join(f"{project} {version}" for project, version in installed.items())
        say(f"{builds} are {blas} builds: nothing to do")
        return
    if blas in BACKENDS:
        check_host(blas)
    wheels = [official_wheel(name, public(version), cache) for name, version in changes.items()]
    if blas in BACKENDS:
        install_packages(BACKENDS[blas].packages)
        wheels = [cached_retarget(wheel, blas, cache) for wheel in wheels]
    install_wheels(wheels)


def say(line: str) -> None:
    """Report one step; flushed, because asv reads through a pipe."""
    print(f"wheels.py: {line}", flush=True)


# The running environment


def installed_versions() -> dict[str, str]:
    """Versions of NumPy and SciPy here, with their local part."""
    try:
        return {project: metadata.version(project) for project in PROJECTS}
    except metadata.PackageNotFoundError as error:
        raise WheelsError(
            f"{error.name} is not installed in {sys.prefix}: install {' and '.join(PROJECTS)} "
            "first (asv does it from matrix.req), or delete this environment to have it made anew"
        ) from None


def public(version: str) -> str:
    """Version without its local part."""
    return version.partition("+")[0]


def is_build_of(blas: str, project: str, version: str) -> bool:
    """Tell whether the installed project is the build that this file would install."""
    if blas not in BACKENDS:
        return "+" not in version
    made_by = metadata.distribution(project).read_text(PROVENANCE) or ""
    return version == f"{public(version)}+{blas}" and made_by.startswith(recipe(blas))


def has_packages(blas: str) -> bool:
    """Tell whether the pinned packages of a BLAS are all installed here."""
    packages = BACKENDS[blas].packages if blas in BACKENDS else ()
    return all(is_installed(requirement) for requirement in packages)


def is_installed(requirement: str) -> bool:
    """Tell whether a pinned requirement is met here."""
    name, _, version = requirement.partition("==")
    try:
        return metadata.version(name) == version
    except metadata.PackageNotFoundError:
        return False


def check_host(*builds: str) -> None:
    """Refuse a host on which these builds can't be made, before anything is downloaded."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise WheelsError(
            f"wheels can be retargeted on Linux x86-64, not on {sys.platform} "
            f"{platform.machine()}; use conda-forge's builds there: asv run -E rattler"
        )
    missing = [tool for tool in ("gcc", "nm") if shutil.which(tool) is None]
    if missing:
        raise WheelsError(
            f"{' and '.join(missing)} not found on PATH: needed to build a shim of a few kB that "
            "leads NumPy and SciPy to another BLAS (Debian: apt-get install gcc binutils)"
        )
    for blas in builds:
        system_libraries(blas)


def system_libraries(blas: str) -> tuple[Path, ...]:
    """List the files that the system must have for a BLAS, or say how it gets them."""
    backend = BACKENDS[blas]
    if backend.folder is None:
        return ()
    files = tuple(backend.folder / name for name in backend.libraries)
    if missing := [str(file) for file in files if not file.exists()]:
        raise WheelsError(
            f"{' and '.join(missing)} not found: the {blas} build runs on Debian's libraries; "
            f"apt-get install {' '.join(backend.debian)}"
        )
    return files


# pip


def pip(*arguments: str | Path, variables: Mapping[str, str] | None = None) -> None:
    """Run this environment's pip; its own configuration says where packages come from."""
    command = [sys.executable, "-m", "pip", arguments[0], "-qq", *arguments[1:]]
    finished = subprocess.run(command, env={**os.environ, **(variables or {})}, check=False)
    if finished.returncode != 0:
        wanted = " ".join(str(argument) for argument in arguments)
        raise WheelsError(
            f"`pip {wanted}` failed (its message stands above); is an index reachable?"
        )


def official_wheel(project: str, version: str, cache: Path) -> Path:
    """Return the index's wheel for this interpreter, downloaded once."""
    directory = cache / "official" / str(sysconfig.get_config_var("SOABI"))
    directory.mkdir(parents=True, exist_ok=True)
    for wheel in sorted(directory.glob(f"{project}-{version}-*.whl")):
        if is_intact(wheel):
            return wheel
        say(f"{wheel.name} in the cache is damaged: downloading it again")
    with tempfile.TemporaryDirectory(dir=directory, prefix=".partial-") as partial:
        # `===`, because `==2.4.6` would also accept a 2.4.6+mkl that some index or folder offers.
        wanted = f"{project}==={version}"
        pip("download", "--no-deps", "--only-binary", ":all:", "--dest", partial, wanted)
        found = next(Path(partial).glob("*.whl"))
        if not is_intact(found):
            raise WheelsError(f"the download of {found.name} is damaged: run this again")
        say(f"downloaded {found.name}")
        return found.replace(directory / found.name)


def is_intact(wheel: Path) -> bool:
    """Tell whether a wheel can be read to its last byte."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.testzip() is None
    except (*DAMAGE, OSError):
        return False


def install_packages(requirements: Sequence[str]) -> None:
    """Install the packages that bring a BLAS, unless they are here."""
    if all(is_installed(requirement) for requirement in requirements):
        return
    start = time.perf_counter()
    say(f"installing {', '.join(requirements)}")
    pip("install", *requirements)
    say(f"installed {requirements[0]} in {time.perf_counter() - start:.1f} s")


def install_wheels(wheels: Sequence[Path]) -> None:
    """Put wheels in the place of the installed builds, both in one step of pip."""
    if not wheels:
        return
    # No index is asked, and a constraint with hashes can't know a wheel that was made here.
    variables = {"PIP_CONSTRAINT": os.devnull, "PIP_REQUIRE_HASHES": "0"}
    # Byte code comes with the first import; compiling every module would take most of the time.
    options = ("--no-deps", "--no-index", "--no-compile", "--force-reinstall")
    pip("install", *options, *wheels, variables=variables)
    names = [WheelName.parse(wheel) for wheel in wheels]
    say(f"installed {' and '.join(f'{name.project} {name.version}' for name in names)}")


# Retargeting


def cached_retarget(wheel: Path, blas: str, cache: Path) -> Path:
    """Return the retargeted form of an official wheel, made once per recipe."""
    key = hashlib.sha256(provenance(wheel, blas)).hexdigest()[:16]
    directory = cache / "retargeted" / f"{blas}-{key}"
    made = directory / WheelName.parse(wheel).over(blas).file
    if is_intact(made):
        return made
    start = time.perf_counter()
    installed = Path(sysconfig.get_path("data")) / "lib"
    retarget(wheel, blas, directory, BACKENDS[blas].folder or installed)
    name, seconds = WheelName.parse(wheel), time.perf_counter() - start
    say(f"retargeted {name.project}-{name.version} -> {blas} in {seconds:.1f} s")
    return made


def retarget(wheel: Path, blas: str, output: Path, library_directory: Path) -> Path:
    """Write the form of an official wheel that computes with another BLAS.

    Parameters
    ----------
    wheel
        Official wheel of NumPy or SciPy for Linux x86-64.
    blas
        Key of `BACKENDS`.
    output
        Folder of the new wheel, which appears whole or not at all; equal input gives equal bytes.
    library_directory
        Where the libraries of the BLAS lie now.

    Returns
    -------
    Path
        The new wheel, whose local version names the BLAS.
    """
    backend = BACKENDS[blas]
    old, new = WheelName.parse(wheel), WheelName.parse(wheel).over(blas)
    files = {
        name.replace(f"{old.info}/", f"{new.info}/", 1): content
        for name, content in replace_library(read_wheel(wheel), backend, library_directory).items()
    }
    rewriters: dict[str, Callable[[bytes], bytes]] = {
        f"{new.info}/METADATA": lambda text: rewrite_metadata(
            text, new.version, backend.packages[:1]
        ),
        f"{new.info}/WHEEL": lambda text: rewrite_tags(text, new.tag),
        f"{new.project}/__config__.py": lambda text: rewrite_build_information(text, blas),
    }
    files |= {name: rewrite(files[name]) for name, rewrite in rewriters.items()}
    files[f"{new.info}/{PROVENANCE}"] = provenance(wheel, blas)
    files[f"{new.info}/RECORD"] = record(files, new.info)
    output.mkdir(parents=True, exist_ok=True)
    return write_wheel(files, output / new.file)


@dataclass(frozen=True)
class WheelName:
    """What the name of a wheel file says."""

    project: str
    version: str
    tag: str

    @classmethod
    def parse(cls, wheel: Path) -> "WheelName":
        """Read a file name; a build number, which official wheels rarely have, is dropped."""
        project, version, *_, python, abi, platforms = wheel.stem.split("-")
        return cls(project, version, f"{python}-{abi}-{platforms}")

    def over(self, blas: str) -> "WheelName":
        """Name the build over another BLAS, which claims to run on this Linux only."""
        python, abi, _ = self.tag.split("-")
        return WheelName(self.project, f"{self.version}+{blas}", f"{python}-{abi}-linux_x86_64")

    @property
    def file(self) -> str:
        """Name of the wheel file."""
        return f"{self.project}-{self.version}-{self.tag}.whl"

    @property
    def info(self) -> str:
        """Name of the folder of metadata inside the wheel."""
        return f"{self.project}-{self.version}.dist-info"


def recipe(blas: str) -> str:
    """Everything but the official wheel that decides the bytes of a retargeted one.

    The system's libraries do: a wheel is made only where they have each function that it calls.
    """
    requires = f"blas: {blas}\nrecipe: {RECIPE}\nrequires: {', '.join(BACKENDS[blas].packages)}\n"
    libraries = [(file, sha256(file)) for file in system_libraries(blas)]
    return requires + "".join(f"library: {file} {digest}\n" for file, digest in libraries)


def sha256(file: Path) -> str:
    """Hash a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def provenance(wheel: Path, blas: str) -> bytes:
    """Text of the PROVENANCE file."""
    return f"{recipe(blas)}made from: {wheel.name}\nsha256: {sha256(wheel)}\n".encode()


def replace_library(
    files: Mapping[str, bytes], backend: Backend, library_directory: Path
) -> dict[str, bytes]:
    """Put a shim in the place of the bundled OpenBLAS and let every module ask for it."""
    bundled = [name for name in files if Path(name).name.startswith(BUNDLED_PREFIX)]
    if len(bundled) != 1:
        raise WheelsError(f"expected one {BUNDLED_PREFIX}*.so in the wheel, found {bundled}")
    old = Path(bundled[0])
    new = old.with_name(old.name.replace(BUNDLED_PREFIX, SHIM_PREFIX))
    modules = {name: content for name, content in files.items() if is_extension_module(name)}
    shim = build_shim(modules, new.name, "openblas64_" in old.name, backend, library_directory)
    renamed = {name: rename_library(c, old.name, new.name) for name, c in modules.items()}
    kept = {name: content for name, content in files.items() if name != bundled[0]}
    return {**kept, **renamed, new.as_posix(): shim}


def is_extension_module(name: str) -> bool:
    """Tell a module of the package from the libraries beside it."""
    path = Path(name)
    return path.suffix == ".so" and not path.parent.name.endswith(".libs")


def rename_library(module: bytes, old: str, new: str) -> bytes:
    """Overwrite the file name that a module asks the loader for; nothing in it may move."""
    if len(old) != len(new):
        raise ValueError(
            f"{new!r} must be as long as {old!r}: the offsets of an ELF file are fixed"
        )
    return module.replace(old.encode(), new.encode())


# The shim


@dataclass(frozen=True)
class Symbol:
    """A function that a module calls: its name in the wheel and in BLAS's own terms."""

    name: str
    function: str
    is_cblas: bool

    @classmethod
    def parse(cls, name: str, ilp64: bool) -> "Symbol":
        """Read ``scipy_cblas_dgemm64_`` or ``scipy_dgesv_64_`` (without 64_ where not ILP64)."""
        width = "64_" if ilp64 else ""
        if match := re.fullmatch(rf"scipy_cblas_(\w+){width}", name):
            return cls(name, match[1], is_cblas=True)
        if match := re.fullmatch(rf"scipy_(\w+)_{width}", name):
            return cls(name, match[1], is_cblas=False)
        raise WheelsError(f"can't read the BLAS symbol {name!r} of this wheel")

    def target(self, interface: Interface) -> str:
        """Name of the same function in another library."""
        return (interface.cblas if self.is_cblas else interface.fortran).format(self.function)


# Functions with a complex result: where the two conventions differ, a plain jump would corrupt
# memory.
COMPLEX_DOTS = ("cdotc", "cdotu", "zdotc", "zdotu")
COMPLEX_DIVISIONS = ("cladiv", "zladiv")


def build_shim(
    modules: Mapping[str, bytes], soname: str, ilp64: bool, backend: Backend, directory: Path
) -> bytes:
    """Compile and link the shim that serves these modules."""
    interface = backend.ilp64 if ilp64 else backend.lp64
    libraries = [directory / name for name in interface.libraries]
    for library in libraries:
        if not library.exists():
            wanted = ", ".join(backend.packages + backend.debian)
            raise WheelsError(f"{library} not found: install {wanted} first")
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, f"{index}.so") for index in range(len(modules))]
        for path, content in zip(paths, modules.values(), strict=True):
            path.write_bytes(content)
        called = sorted(n for n in names_in("--undefined-only", paths) if n.startswith("scipy_"))
        symbols = [Symbol.parse(name, ilp64) for name in called]
        check_offered(symbols, interface, libraries)
        wrapped = [s for s in symbols if backend.complex_by_pointer and returns_complex(s)]
        jumped = [symbol for symbol in symbols if symbol not in wrapped]
        Path(scratch, "jumps.s").write_text(jumps(jumped, interface))
        Path(scratch, "wrappers.c").write_text(wrappers(wrapped, interface, ilp64))
        run(link_command(soname, backend.rpath(interface), libraries), cwd=Path(scratch))
        return Path(scratch, soname).read_bytes()


def check_offered(
    symbols: Sequence[Symbol], interface: Interface, libraries: Sequence[Path]
) -> None:
    """Refuse libraries that lack a function: the loader would find out in a measurement."""
    offered = names_in("--defined-only", libraries)
    missing = [s.target(interface) for s in symbols if s.target(interface) not in offered]
    if missing or not symbols:
        names = " and ".join(library.name for library in libraries)
        raise WheelsError(
            f"{len(missing)} of the {len(symbols)} functions that the wheel calls are not in "
            f"{names} (first: {', '.join(missing[:5])}); NumPy, SciPy and the BLAS don't fit "
            "together"
        )


def names_in(selection: str, files: Sequence[Path]) -> set[str]:
    """Names of the dynamic symbols of some files, without their versions."""
    lines = run(["nm", "-D", selection, *files]).splitlines()
    return {line.split()[-1].partition("@")[0] for line in lines if line.strip()}


def returns_complex(symbol: Symbol) -> bool:
    """Tell whether a function's result is a complex number."""
    return not symbol.is_cblas and symbol.function in COMPLEX_DOTS + COMPLEX_DIVISIONS


def jumps(symbols: Iterable[Symbol], interface: Interface) -> str:
    """Assembly: one jump per function through the global offset table, bound when loaded."""
    lines = [".text"]
    for symbol in symbols:
        lines += [f".globl {symbol.name}", f".type {symbol.name},@function", f"{symbol.name}:"]
        lines += [f"    jmp *{symbol.target(interface)}@GOTPCREL(%rip)"]
    return "\n".join([*lines, '.section .note.GNU-stack,"",@progbits', ""])


def wrappers(symbols: Iterable[Symbol], interface: Interface, ilp64: bool) -> str:
    """C without headers, so that gcc alone is enough: complex results from hidden pointers."""
    integer = "long" if ilp64 else "int"
    texts = []
    for symbol in symbols:
        number = "float _Complex" if symbol.function.startswith("c") else "double _Complex"
        if symbol.function in COMPLEX_DOTS:
            target = interface.cblas.format(f"{symbol.function}_sub")
            formal = f"{integer} *n, void *x, {integer} *step_x, void *y, {integer} *step_y"
            declared = f"{integer}, void *, {integer}, void *, {integer}, void *"
            call = f"{target}(*n, x, *step_x, y, *step_y, &result)"
        else:
            target, formal = symbol.target(interface), "void *x, void *y"
            declared, call = "void *, void *, void *", f"{target}(&result, x, y)"
        texts.append(
            f"extern void {target}({declared});\n{number} {symbol.name}({formal})\n"
            f"{{ {number} result; {call}; return result; }}\n"
        )
    return "\n".join(texts)


def link_command(soname: str, rpath: str, libraries: Sequence[Path]) -> list[str]:
    """Build the call of gcc; -nostdlib and -s leave out what differs between hosts."""
    linker = [f"-soname={soname}", "--no-as-needed", "--allow-shlib-undefined", "-z", "now"]
    # DT_RPATH, not DT_RUNPATH: only the first serves the files that MKL opens by name, and the
    # libblas.so.3 that Debian's LAPACK asks for; and LD_LIBRARY_PATH can't overrule it.
    linker += ["--disable-new-dtags", f"-rpath={rpath}"]
    options = ["-O2", "-fPIC", "-fno-stack-protector", "-shared", "-nostdlib", "-s"]
    options += [f"-Wl,{','.join(linker)}", "-o", soname]
    # Found by -L, not named by their paths: the loader is told a name and searches the rpath.
    searched = dict.fromkeys(str(library.parent.resolve()) for library in libraries)
    options += [f"-L{folder}" for folder in searched]
    wanted = [f"-l:{library.name}" for library in libraries]
    return ["gcc", *options, "jumps.s", "wrappers.c", *wanted]


def run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Run a compiler tool and return what it printed."""
    finished = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise WheelsError(f"{command[0]} failed on the shim: {' '.join(finished.stderr.split())}")
    return finished.stdout


# The wheel file


def read_wheel(wheel: Path) -> dict[str, bytes]:
    """Read all files of a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {e.filename: archive.read(e) for e in archive.infolist() if not e.is_dir()}
    except DAMAGE as error:
        raise WheelsError(f"{wheel} is damaged ({error}): delete it and run this again") from None


def write_wheel(files: Mapping[str, bytes], wheel: Path) -> Path:
    """Write a wheel, sorted and without clock or owner; it appears whole or not at all."""
    # By host as well: machines that share a cache number their processes alike.
    me = f"{platform.node()}-{os.getpid()}"
    partial = wheel.with_name(f".partial-{me}-{wheel.name}")
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name)  # dated 1980-01-01
                entry.external_attr = 0o100644 << 16
                # Level 1: read once per environment, so time counts and size hardly does.
                archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, compresslevel=1)
        return partial.replace(wheel)
    finally:
        partial.unlink(missing_ok=True)


def rewrite_metadata(text: bytes, version: str, requirements: Sequence[str]) -> bytes:
    """State the new version and require the BLAS; a description in the body stays as it is."""
    header, blank, body = text.partition(b"\n\n")
    lines = [f"Version: {version}", *(f"Requires-Dist: {wanted}" for wanted in requirements)]
    return re.sub(rb"(?m)^Version: .*$", "\n".join(lines).encode(), header, count=1) + blank + body


def rewrite_tags(text: bytes, tag: str) -> bytes:
    """Claim one tag, the one in the file name."""
    kept = [line for line in text.decode().split("\n") if line and not line.startswith("Tag: ")]
    return "\n".join([*kept, f"Tag: {tag}", "", ""]).encode()


def rewrite_build_information(text: bytes, blas: str) -> bytes:
    """Name the BLAS in ``show_config``: static text, which is never evidence of what runs."""

    def block(found: re.Match[bytes]) -> bytes:
        # SciPy reads "has ilp64" when it is imported; the rest describes the bundled OpenBLAS.
        kept = re.findall(rb'"has ilp64": .*', found[2])
        fields = [f'"name": "{blas}",'.encode(), b'"found": True,', b'"version": "retargeted",']
        return found[1] + b"{" + b" ".join([*fields, *kept]) + b"}"

    return re.sub(rb'("(?:blas|lapack)": )\{([^{}]*)\}', block, text)


def record(files: Mapping[str, bytes], info: str) -> bytes:
    """List every file with its hash and size, as installers expect it."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name in sorted(files.keys() - {f"{info}/RECORD"}):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
        rows.writerow([name, f"sha256={digest.decode()}", len(files[name])])
    rows.writerow([f"{info}/RECORD", "", ""])
    return text.getvalue().encode()


if __name__ == "__main__":
    sys.exit(main())
