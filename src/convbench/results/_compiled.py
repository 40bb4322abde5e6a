"""Machine code from plain functions, made when it is first asked for and kept on disk.

Numba takes 0.6 s to import, which a small collection has no use for: nothing here is imported
before `compiled` is called. Source: Numba's manual, "Notes on caching".
"""

import hashlib
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any

MachineCode = Callable[..., Any]


def compiled(
    entry: Any,
    callees: Iterable[Any],
    arguments: Callable[[], tuple[Any, ...]],
    inlined: Collection[Any] = (),
) -> MachineCode | None:
    """Compile a function for one signature, or load what an earlier process compiled.

    None when Numba is told not to compile (NUMBA_DISABLE_JIT): as Python, these functions take
    longer than what they are there to replace.

    Parameters
    ----------
    entry : function
        Works on arrays and numbers, and runs without the GIL.
    callees : iterable of functions
        What `entry` calls, each after those that it calls itself.
    arguments : () -> tuple of Numba's types
    inlined : collection of functions
        Those of the callees that become part of each caller: passing arrays takes time.
    """
    import numba

    # Without _nrt functions can't make arrays, and don't count references to those they are given:
    # at every call that takes longer than reading a number.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
    functions = [*callees, entry]
    digest = _digest(functions)
    lent: dict[str, Any] = {}
    for function in functions:
        lent[function.__name__] = numba.njit(forceinline=function in inlined, **options)(
            _copy(function, digest, lent)
        )
    kernel = lent[entry.__name__]
    if isinstance(kernel, FunctionType):
        return None
    signature = arguments()
    try:
        kernel.enable_caching()
        kernel.compile(signature)
    except Exception:
        # No folder to write to, no space left, or a file that something cut short, which pickle
        # may answer with any exception. A mistake in the functions themselves is raised again.
        kernel = numba.njit(**options)(kernel.py_func)
        kernel.compile(signature)
    kernel.disable_compile()
    machine_code: MachineCode = kernel
    return machine_code


def _copy(function: FunctionType, digest: str, lent: dict[str, Any]) -> FunctionType:
    """Copy the function under the name that its cache goes by, with its callees lent to it."""
    copy = FunctionType(
        function.__code__, {**function.__globals__, **lent}, f"{function.__name__}_{digest}"
    )
    copy.__qualname__ = copy.__name__
    copy.__module__ = function.__module__
    return copy


def _digest(functions: Iterable[FunctionType]) -> str:
    """Tell versions of the sources apart: Numba's cache looks only at the file of the entry."""
    files = sorted({function.__code__.co_filename for function in functions})
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:16]
