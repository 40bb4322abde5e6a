"""What goes into each package of the local channel, taken from wheels and from this machine.

NumPy and SciPy are the official wheels without their OpenBLAS. Where it was, `numpy.libs` has a
link to a file in the environment's `lib`, which the chosen variant of `libblas` supplies: OpenBLAS
itself, by one more link, or a shim that leads to MKL or netlib. The loader takes `$ORIGIN` from the
path it opened, `numpy.libs`, and never resolves links; so the shims of `convbench.wheels`, made to
lie there, serve as they are, and nothing has to be patched.
"""

import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from conda_package import Files, Link

from convbench import wheels

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"

MKL_FILES = re.compile(
    r"mkl-.*/lib/libmkl_(rt|core|intel_lp64|intel_ilp64|intel_thread|sequential"
    # One of each for every generation of processors that libmkl_core knows.
    r"|(vml_)?(def|mc3|avx2|avx512|avx10)|vml_cmpt)\.so\.\d+|intel_openmp-.*/lib/libiomp5\.so"
)
"""What libmkl_rt and libmkl_core open by name, for one thread and many, on any x86-64."""

GFORTRAN = ("libgfortran.so.5", "libquadmath.so.0")
"""What Debian's LAPACK needs beside its BLAS."""


def python_files() -> Files:
    """Pack the running interpreter as a virtual environment without activation scripts.

    A copy of it would run only where libpython is shared, and Debian's would install into
    `dist-packages`. By `pyvenv.cfg` any interpreter finds its library and calls the environment
    its prefix.
    """
    home = Path(sys.base_prefix, "bin")
    settings = f"home = {home}\ninclude-system-site-packages = false\n"
    executable = f"python{PYTHON}"
    return {
        f"bin/{executable}": Link(str(home / executable)),
        "bin/python3": Link(executable),
        "bin/python": Link(executable),
        "pyvenv.cfg": settings.encode(),
    }


def wheel_files(wheel: Path) -> Files:
    """Lay a wheel out as an installer would, without scripts.

    There is no RECORD, so pip refuses to replace what conda installed.
    """
    return {
        f"{SITE}/{name}": content
        for name, content in wheels.read_wheel(wheel).items()
        if not re.search(r"\.data/scripts/|\.dist-info/RECORD$", name)
    }


@dataclass(frozen=True)
class SplitWheel:
    """NumPy or SciPy, split at its BLAS.

    Attributes
    ----------
    files
        The project, which asks the environment for a file called `needed`.
    needed
        Name of that file; `convbench.wheels` says why it is as it is.
    openblas
        Name and content of the bundled library.
    modules
        Extension modules as the wheel has them: what a shim must serve.
    ilp64
        Whether they pass 64-bit integers.
    """

    files: Files
    needed: str
    openblas: tuple[str, bytes]
    modules: Mapping[str, bytes]
    ilp64: bool


def split(wheel: Path) -> SplitWheel:
    """Take the OpenBLAS out of an official wheel."""
    content = wheel_files(wheel)
    (bundled,) = (p for p in content if Path(p).name.startswith(wheels.BUNDLED_PREFIX))
    folder, old = str(Path(bundled).parent), Path(bundled).name
    needed = old.replace(wheels.BUNDLED_PREFIX, wheels.SHIM_PREFIX)
    modules = {p: data for p, data in content.items() if wheels.is_extension_module(p)}
    renamed = {p: wheels.rename_library(data, old, needed) for p, data in modules.items()}
    up = "/".join([".."] * (len(Path(folder).parts) - 1))
    linked = {f"{folder}/{needed}": Link(f"{up}/{needed}")}
    kept = {path: data for path, data in content.items() if path != bundled}
    return SplitWheel(
        files=kept | renamed | linked,
        needed=needed,
        openblas=(old, content[bundled]),
        modules=modules,
        ilp64="openblas64_" in old,
    )


def openblas_files(*projects: SplitWheel) -> Files:
    """Collect the libraries that were taken out, one for each width of integers."""
    return {f"lib/{name}": content for name, content in (p.openblas for p in projects)}


def mkl_files(*downloaded: Path) -> Files:
    """Pick what is opened at run time out of the wheels of MKL and Intel's OpenMP."""
    found = {}
    for wheel in downloaded:
        with zipfile.ZipFile(wheel) as archive:
            chosen = [name for name in archive.namelist() if MKL_FILES.search(name)]
            found |= {f"lib/{Path(name).name}": archive.read(name) for name in chosen}
    return found


def without_netlib() -> str:
    """Say why netlib can't be packed here, or nothing."""
    try:
        wheels.system_libraries("netlib")
    except wheels.WheelsError as reason:
        return str(reason)
    return ""


def netlib_files() -> Files:
    """Collect Debian's reference BLAS and LAPACK, and their runtime, under bare names.

    conda-forge's netlib variant has its `libblas.so.3` there too: what it is can't be seen from
    its name or folder.
    """
    found: dict[str, bytes | Link] = {}
    for asked in [*wheels.system_libraries("netlib"), *(wheels.DEBIAN / n for n in GFORTRAN)]:
        file = asked.resolve()
        found |= {f"lib/{asked.name}": Link(file.name), f"lib/{file.name}": file.read_bytes()}
    return found


def links_to_openblas(*projects: SplitWheel) -> Files:
    """The file that each project needs, as conda-forge does it: a link to OpenBLAS."""
    return {f"lib/{project.needed}": Link(project.openblas[0]) for project in projects}


def shims(backend: wheels.Backend, libraries: Files, *projects: SplitWheel) -> Files:
    """The file that each project needs, as a shim that leads to other libraries in `lib`."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in libraries.items():
            file = Path(folder, Path(path).name)
            if isinstance(content, Link):
                file.symlink_to(content.target)
            else:
                file.write_bytes(content)
        return {
            f"lib/{p.needed}": wheels.build_shim(
                p.modules, p.needed, p.ilp64, in_one_folder(backend), Path(folder)
            )
            for p in projects
        }


def in_one_folder(backend: wheels.Backend) -> wheels.Backend:
    """The same BLAS with all its libraries in the environment's `lib`."""

    def bare(interface: wheels.Interface) -> wheels.Interface:
        names = tuple(Path(name).name for name in interface.libraries)
        return replace(interface, libraries=names)

    return replace(backend, ilp64=bare(backend.ilp64), lp64=bare(backend.lp64), folder=None)
