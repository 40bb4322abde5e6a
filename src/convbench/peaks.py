"""The highest rates of a machine: arithmetic by GEMM and in registers, bandwidth by memory level.

A GEMM's peak is its BLAS's as well as the processor's. The register peak is the processor's alone:
chains of multiply-adds, as many as hide one's latency, that touch no memory. Bandwidth is that of
the triad a[i] = b[i] + s · c[i] in float64; `memory_levels` chooses its working sets. Each rate is
the best of several timings: what disturbs only lowers it.

This file is loaded beside other commits' packages too, hence imports nothing of this one, and
Numba only where it measures.
Source: McCalpin, "Memory Bandwidth and Machine Balance in Current High Performance Computers",
IEEE TCCA Newsletter, December 1995, for the triad and how its bytes count.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

GEMM_SIZE = 512
"""Rows and columns of the GEMM; large enough for its peak, short enough to be undisturbed once."""

CHAIN_LENGTH = 2**20
"""Links of each chain in one call: milliseconds, beside which waking a thread is little."""

TRIAD_BYTES = 24
"""What one element of the triad moves: two numbers read and one written. That a cache reads the
line that it is about to write does not count."""

CALL_BYTES = 2**30
"""What the threads move in one call, at least: milliseconds in the fastest of caches."""

SECONDS, CALLS = 0.2, 3
"""How long, and how often at least, a call is timed for one rate."""

CACHE_LINE_BYTES = 64

Floats = NDArray[np.floating]
Kernel = Callable[..., None]


def gemm_flops_per_second(dtype: str, seconds: float = SECONDS) -> float:
    """Measure a square GEMM, on the threads that NumPy's BLAS is limited to."""
    left = np.ones((GEMM_SIZE, GEMM_SIZE), dtype)
    right, product = left.copy(), np.empty_like(left)
    return 2 * GEMM_SIZE**3 / best_seconds(lambda: np.matmul(left, right, out=product), seconds)


def fma_flops_per_second(dtype: str, threads: int) -> float:
    """Measure multiply-adds in registers, on so many threads; each counts as two operations."""
    run, numbers = chains(dtype)
    values = [np.zeros(numbers, dtype) for _ in range(threads)]
    with on_threads(threads, lambda thread: run(values[thread], 0.5, 1.0, CHAIN_LENGTH)) as call:
        return 2 * numbers * CHAIN_LENGTH * threads / best_seconds(call)


def triad_bytes_per_second(working_set: int, threads: int) -> float:
    """Measure the triad on a working set of these bytes, cut into a part for each thread."""
    run = triad()
    line = CACHE_LINE_BYTES // 8  # whole vectors
    elements = working_set // threads // TRIAD_BYTES // line * line
    passes = -(-CALL_BYTES // (elements * TRIAD_BYTES * threads))
    with on_threads(threads, lambda _: tuple(aligned_ones(elements) for _ in "abc")) as allocate:
        operands = allocate()  # each thread touches its own first: on its own node of the memory
    with on_threads(threads, lambda thread: run(*operands[thread], 3.0, passes)) as call:
        return TRIAD_BYTES * elements * passes * threads / best_seconds(call)


def best_seconds(call: Callable[[], object], seconds: float = SECONDS) -> float:
    """Time calls until the time is up; the shortest is neither a first nor a disturbed one."""
    best, calls, end = float("inf"), 0, time.perf_counter() + seconds
    while (start := time.perf_counter()) < end or calls < CALLS:
        call()
        best, calls = min(best, time.perf_counter() - start), calls + 1
    return best


@contextlib.contextmanager
def on_threads(threads: int, task: Callable[[int], Any]) -> Iterator[Callable[[], list[Any]]]:
    """Lend a call that does a task on each of so many threads, and waits for all."""
    if threads == 1:
        yield lambda: [task(0)]
        return
    from concurrent.futures import ThreadPoolExecutor  # milliseconds, of every first import else

    with ThreadPoolExecutor(threads) as pool:
        yield lambda: list(pool.map(task, range(threads)))


def aligned_ones(elements: int) -> NDArray[np.float64]:
    """Make an array that begins with a cache line: no vector of it lies on two."""
    line = CACHE_LINE_BYTES // 8
    memory = np.ones(elements + line)
    first = -memory.ctypes.data // 8 % line
    return memory[first : first + elements]


@cache
def chains(dtype: str) -> tuple[Kernel, int]:
    """Compile (values, factor, addend, length): value ← value · factor + addend, `length` times.

    Gives the kernel and the number of its values, one for each lane of each chain. Chains and
    constants stay in registers: twelve chains, what 16 registers have room for, hide the latency
    of two units that take five cycles, and 32 registers have room for twice as many.
    """
    import numba
    from llvmlite import ir

    cgutils = _code_generation()
    number: Any = numba.from_dtype(np.dtype(dtype))
    width, registers = registers_of_target()
    lanes = width // np.dtype(dtype).itemsize
    vectors = _Vectors(ir.FloatType() if dtype == "float32" else ir.DoubleType(), lanes)
    places = [cgutils.intp_t(chain * lanes) for chain in range(registers * 3 // 4)]

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, factor, addend, length = arguments
        into = [vectors.at(context, builder, values, signature.args[0], at) for at in places]
        # LLVM keeps these variables in registers.
        now = [cgutils.alloca_once_value(builder, builder.load(each, align=8)) for each in into]
        constants = [vectors.splat(builder, constant) for constant in (factor, addend)]
        with cgutils.for_range(builder, length):
            for each in now:
                builder.store(vectors.fma(builder, builder.load(each), *constants), each)
        for each, place in zip(now, into, strict=True):
            builder.store(builder.load(each), place, align=8)
        return context.get_dummy_value()

    def typed(_: Any, values: Any, factor: Any, addend: Any, length: Any) -> Any:
        return numba.void(values, factor, addend, length), emit

    advance = _intrinsic(typed)

    def run(values: Floats, factor: float, addend: float, length: int) -> None:
        advance(values, factor, addend, length)

    signature = numba.void(numba.types.Array(number, 1, "C"), number, number, numba.intp)
    return _compiled(run, signature), len(places) * lanes


@cache
def triad() -> Kernel:
    """Compile (a, b, c, scalar, passes): a ← b + (scalar + pass) · c, on whole vectors.

    Each pass has another scalar: no compiler may leave one out. LLVM would vectorise a plain loop
    too, but prefers half registers on some processors, and a cache then gives two thirds.
    """
    import numba
    from llvmlite import ir

    lanes = registers_of_target()[0] // 8
    vectors = _Vectors(ir.DoubleType(), lanes)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *arrays, scalar, index = arguments
        a, b, c = (
            vectors.at(context, builder, array, kind, index)
            for array, kind in zip(arrays, signature.args, strict=False)
        )
        product = (vectors.splat(builder, scalar), builder.load(c, align=8))
        total = vectors.fma(builder, *product, builder.load(b, align=8))
        builder.store(total, a, align=8)
        return context.get_dummy_value()

    def typed(_: Any, a: Any, b: Any, c: Any, scalar: Any, index: Any) -> Any:
        return numba.void(a, b, c, scalar, index), emit

    step = _intrinsic(typed)

    def run(a: Floats, b: Floats, c: Floats, scalar: float, passes: int) -> None:
        for each in range(passes):
            for index in range(0, a.size, lanes):
                step(a, b, c, scalar + each, index)

    array: Any = numba.types.Array(numba.float64, 1, "C")
    return _compiled(run, numba.void(array, array, array, numba.float64, numba.intp))


def registers_of_target() -> tuple[int, int]:
    """Give the bytes of a vector register, and how many there are, of what Numba compiles for."""
    from numba.core.registry import cpu_target

    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    enabled = features.split(",")
    if "+avx512f" in enabled:
        return 64, 32
    return (32 if "+avx2" in enabled else 16), (32 if triple.startswith("aarch64") else 16)


@dataclass(frozen=True, slots=True)
class _Vectors:
    """Emits LLVM's code for vectors that fill a register, of one kind of number."""

    number: Any  # LLVM's type of it
    lanes: int

    @property
    def kind(self) -> Any:
        from llvmlite import ir

        return ir.VectorType(self.number, self.lanes)

    def at(self, context: Any, builder: Any, array: Any, kind: Any, index: Any) -> Any:
        data = _code_generation().create_struct_proxy(kind)(context, builder, value=array).data
        return builder.bitcast(builder.gep(data, [index]), self.kind.as_pointer())

    def splat(self, builder: Any, value: Any) -> Any:
        vector = self.kind([0] * self.lanes)
        for lane in range(self.lanes):
            vector = builder.insert_element(vector, value, _code_generation().int32_t(lane))
        return vector

    def fma(self, builder: Any, left: Any, right: Any, addend: Any) -> Any:
        from llvmlite import ir

        # Unlike llvm.fma, it is no library call on a processor without the instruction.
        name = f"llvm.fmuladd.v{self.lanes}{self.number.intrinsic_name}"
        kind = ir.FunctionType(self.kind, [self.kind] * 3)
        function = _code_generation().get_or_insert_function(builder.module, kind, name)
        return builder.call(function, [left, right, addend])


def _code_generation() -> Any:
    from numba.core import cgutils  # has no types

    return cgutils


def _intrinsic(function: Callable[..., Any]) -> Any:
    from numba.extending import intrinsic

    return intrinsic(function)


def _compiled(function: Kernel, signature: Any) -> Kernel:
    """Compile in memory only, a tenth of a second: another commit's package has no part in it."""
    import numba

    compiler: Any = numba.njit(signature, nogil=True)
    kernel: Kernel = compiler(function)
    return kernel
