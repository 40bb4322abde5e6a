"""Registers of this machine, and the instructions on them, emitted as LLVM's intermediate code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target


def _vector_bytes() -> int:
    # What Numba compiles for: the host, or what its variables NUMBA_CPU_… name instead.
    *_, features = cpu_target.target_context.codegen().magic_tuple()
    enabled = features.split(",")
    if "+avx512f" in enabled:
        return 64
    return 32 if "+avx2" in enabled else 16


VECTOR_BYTES = _vector_bytes()
"""Width of the registers of this machine's processor."""


def lanes(itemsize: int) -> int:
    """Count the numbers in one register."""
    return VECTOR_BYTES // itemsize


@dataclass(frozen=True, slots=True)
class Emitter:
    """Emits vector instructions for one element type into one function."""

    context: Any
    builder: Any
    number: Any  # Numba's type of the elements

    @property
    def count(self) -> int:
        return VECTOR_BYTES // (self.number.bitwidth // 8)

    @property
    def vector(self) -> Any:
        return ir.VectorType(self.context.get_value_type(self.number), self.count)

    def index(self, value: int) -> Any:
        return ir.Constant(self.context.get_value_type(types.intp), value)

    def splatted_constant(self, value: float) -> Any:
        return ir.Constant(self.vector, [value] * self.count)

    def pointer(self, array_type: Any, array: Any, offset: Any) -> Any:
        proxy = cgutils.create_struct_proxy(array_type)(self.context, self.builder, value=array)
        return self.builder.gep(proxy.data, [offset])

    def at(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset])

    def load(self, pointer: Any) -> Any:
        loaded = self.builder.load(self.builder.bitcast(pointer, self.vector.as_pointer()))
        loaded.align = self.number.bitwidth // 8
        return loaded

    def store(self, vector: Any, pointer: Any) -> None:
        stored = self.builder.store(vector, self.builder.bitcast(pointer, self.vector.as_pointer()))
        stored.align = self.number.bitwidth // 8

    def splat(self, value: Any) -> Any:
        kind = ir.VectorType(value.type, self.count)
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.count), [0] * self.count)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def fma(self, left: Any, right: Any, addend: Any) -> Any:
        vector = self.vector
        # Unlike llvm.fma, it is no library call a lane on a processor without the instruction.
        name = f"llvm.fmuladd.v{self.count}f{self.number.bitwidth}"
        function = self._declared(name, vector, [vector] * 3)
        return self.builder.call(function, [left, right, addend])

    def first_lanes(self, number: Any) -> Any:
        """Select the first lanes: none when `number` is negative, all when it is large."""
        kind = self.context.get_value_type(types.intp)
        ascending = ir.Constant(ir.VectorType(kind, self.count), list(range(self.count)))
        return self.builder.icmp_signed("<", ascending, self.splat(number))

    def load_masked(self, pointer: Any, mask: Any) -> Any:
        vector = self.vector
        arguments = [vector.as_pointer(), ir.IntType(32), mask.type, vector]
        function = self._declared(f"llvm.masked.load.{self._suffix}", vector, arguments)
        zero = ir.Constant(vector, [0.0] * self.count)
        place = self.builder.bitcast(pointer, vector.as_pointer())
        return self.builder.call(function, [place, self._alignment, mask, zero])

    def store_masked(self, value: Any, pointer: Any, mask: Any) -> None:
        vector = self.vector
        arguments = [vector, vector.as_pointer(), ir.IntType(32), mask.type]
        function = self._declared(f"llvm.masked.store.{self._suffix}", ir.VoidType(), arguments)
        place = self.builder.bitcast(pointer, vector.as_pointer())
        self.builder.call(function, [value, place, self._alignment, mask])

    @property
    def _suffix(self) -> str:
        return f"v{self.count}f{self.number.bitwidth}.p0"

    @property
    def _alignment(self) -> Any:
        return ir.Constant(ir.IntType(32), self.number.bitwidth // 8)

    def _declared(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        return cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(result, list(arguments)), name
        )
