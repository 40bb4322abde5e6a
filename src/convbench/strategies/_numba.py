"""How a kernel is compiled: when it is first asked for, once per dtype, and kept on disk.

A kernel is a plain function of arrays and integers that may refer to `numba`, so this module
imports no Numba before a strategy prepares its filters. What a kernel calls stands in the kernel's
own file or in a private module of this folder: another file's change would not be noticed.
Source: Numba's manual, "Notes on caching".
"""

import hashlib
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol

import numpy as np

from convbench.problem import Array
from convbench.strategies._numba_threads import choose_layer, one_at_a_time

Compiled = Callable[..., None]

# Nowhere to write, no space left, or a file that something cut short: kernels work without a cache.
_CACHE_FAILURES = (OSError, RuntimeError, EOFError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True)
class Reads:
    """An array argument of this many dimensions that is not written, and may be read-only."""

    dimensions: int


@dataclass(frozen=True, slots=True)
class Writes:
    """An array argument of this many dimensions that is written."""

    dimensions: int


@dataclass(frozen=True, slots=True)
class Indices:
    """A flat array of offsets or sizes (intp) that is not written."""


Argument = Reads | Writes | Indices | type[int]


def simd_names(**constants: int) -> Mapping[str, object]:
    """Lend the vector instructions of `convbench.strategies._simd` as ``simd``, and constants."""
    from convbench.strategies import _simd

    return {"simd": _simd, **constants}


class Kernel(Protocol):
    """Give the machine code for a dtype, and for integers that are constants in it."""

    def __call__(self, dtype: str, /, **constants: int) -> Compiled:
        """Compile, or load what an earlier process compiled; the second time, look up."""


def kernel(
    *arguments: Argument,
    parallel: bool = False,
    names: Callable[..., Mapping[str, object]] = dict,
) -> Callable[[Compiled], Kernel]:
    """Turn a function into its kernel.

    The machine code takes arrays as `contiguous` returns them and runs without the GIL.

    Parameters
    ----------
    *arguments : Reads, Writes, Indices or int
        What the function takes; all arrays have the dtype that is asked for.
    parallel : bool
        Whether threads share the iterations of `numba.prange`, as many as `convbench.threads` says.
    names : (**constants) -> mapping
        What the function finds among its globals: without this, the constants themselves.
    """

    def lazily(function: Compiled) -> Kernel:
        assert isinstance(function, FunctionType)

        @cache
        def compiled(dtype: str, /, **constants: int) -> Compiled:
            import numba

            if parallel:
                choose_layer()
            signature = _signature(dtype, arguments)
            digest = _digest(function, signature, constants)
            lent = {"numba": numba, **names(**constants)}
            machine_code = _compile(_copy(function, digest, lent), signature, parallel)
            return one_at_a_time(machine_code) if parallel else machine_code

        return compiled

    return lazily


def contiguous(operand: Array) -> Array:
    """Return the operand as kernels want it, in C order and aligned; a copy only where needed."""
    flags = operand.flags
    if flags.c_contiguous and flags.aligned:
        return operand
    return np.require(operand, requirements=("C", "A"))


def _signature(dtype: str, arguments: tuple[Argument, ...]) -> Any:
    import numba

    number = numba.from_dtype(np.dtype(dtype))

    def of(argument: Argument) -> Any:
        match argument:
            case Reads(dimensions):
                return numba.types.Array(number, dimensions, "C", readonly=True)
            case Writes(dimensions):
                return numba.types.Array(number, dimensions, "C")
            case Indices():
                return numba.types.Array(numba.intp, 1, "C", readonly=True)
            case _:
                return numba.intp

    return numba.void(*(of(argument) for argument in arguments))


def _digest(function: FunctionType, signature: Any, constants: Mapping[str, int]) -> str:
    """Tell apart whatever is compiled differently: source, types, constants, processor.

    Numba's cache has one index per function's name, and numbers the files that it lists. Two
    processes that add to one index at once may give two signatures, or two processors, one file.
    With a name for each, they can only write the same machine code twice.
    """
    import numba

    processor = numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    digest = hashlib.sha256(repr((signature, sorted(constants.items()), processor)).encode())
    digest.update(Path(inspect.getfile(function)).read_bytes())
    digest.update(_private_sources())
    return digest.hexdigest()[:16]


@cache
def _private_sources() -> bytes:
    """Read the modules that a kernel may be lent names from: they are compiled in."""
    here = Path(__file__).parent
    modules = sorted((*here.glob("_*.py"), *here.glob("_*/*.py")))
    return b"".join(path.read_bytes() for path in modules)


def _copy(function: FunctionType, digest: str, lent: Mapping[str, object]) -> FunctionType:
    """Copy the function under the name that its cache goes by, with names lent to it."""
    copy = FunctionType(
        function.__code__, {**function.__globals__, **lent}, f"{function.__name__}_{digest}"
    )
    copy.__qualname__ = copy.__name__
    copy.__module__ = function.__module__
    return copy


def _compile(function: FunctionType, signature: Any, parallel: bool) -> Compiled:
    import numba

    # "contract" only lets a multiply and an add become one FMA; sums keep their order.
    compiler: Any = numba.njit(nogil=True, fastmath={"contract"}, parallel=parallel)
    dispatcher = compiler(function)
    if isinstance(dispatcher, FunctionType):  # NUMBA_DISABLE_JIT, for a debugger
        return dispatcher
    try:
        dispatcher.enable_caching()
        dispatcher.compile(signature)
    except _CACHE_FAILURES:
        dispatcher = compiler(function)
        dispatcher.compile(signature)
    dispatcher.disable_compile()  # another type is a mistake of the caller, not another kernel
    machine_code: Compiled = dispatcher
    return machine_code
