"""ONNX Runtime on the CPU: a session of a model with one Conv node, made anew for each filter bank.

Identity: the definition, by MLAS's direct kernels on blocks of channels (NCHWc), which the session
reorders its operands to and from, or by im2col and GEMM. The model is written in protobuf's wire
format here, because the package `onnx` would be one more dependency for a few dozen bytes.
Source: ONNX, operator Conv and `onnx.proto`; Protocol Buffers, "Encoding".
"""

from typing import Any

import numpy as np

from convbench import threads
from convbench.problem import Array, ConvProblem
from convbench.strategies._peer import (
    LIBRARIES,
    filter_bytes,
    plain,
    wrong_dtype,
    wrong_layout,
)
from convbench.strategies._strategy import Strategy

_IR_VERSION, _OPSET = 8, 13  # of 2021: what every version in use reads
_FLOAT = 1  # TensorProto.DataType
_INT, _INTS = 2, 7  # AttributeProto.AttributeType


def prepare(weights: Array, problem: ConvProblem) -> Any:
    """Make a session whose model holds the filters, on as many threads as convbench uses."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads.count()
    options.log_severity_level = 3  # errors; a new model is warned about in every process
    return onnxruntime.InferenceSession(
        model(weights, problem), options, providers=["CPUExecutionProvider"]
    )


def run(x: Array, session: Any, problem: ConvProblem) -> Array:  # noqa: ARG001  # of a Strategy
    """Run the session; it reads x in place and returns an array of its own."""
    (output,) = session.run(["y"], {"x": plain(x)})
    return np.asarray(output)


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse channels last and float64, for which ONNX Runtime has no kernel on the CPU."""
    return (
        LIBRARIES["onnxruntime"].missing() or wrong_layout(problem, "NCHW") or wrong_dtype(problem)
    )


def model(weights: Array, problem: ConvProblem) -> bytes:
    """Write a ModelProto: y = Conv(x, weights)."""
    top, left = problem.padding
    node = b"".join(
        (
            *(_field(1, "x"), _field(1, "weights"), _field(2, "y"), _field(4, "Conv")),
            _attribute("kernel_shape", (problem.kernel_height, problem.kernel_width)),
            _attribute("strides", problem.stride),
            _attribute("pads", (top, left, top, left)),
            _attribute("dilations", problem.dilation),
            _attribute("group", problem.groups),
        )
    )
    graph = b"".join(
        (
            *(_field(1, node), _field(2, "convolution"), _field(5, _tensor("weights", weights))),
            _field(11, _value("x", problem.input_shape)),
            _field(12, _value("y", problem.output_shape)),
        )
    )
    return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(2, _OPSET))


def _attribute(name: str, value: int | tuple[int, ...]) -> bytes:
    if isinstance(value, int):
        typed = _field(3, value) + _field(20, _INT)
    else:
        typed = b"".join(_field(8, number) for number in value) + _field(20, _INTS)
    return _field(5, _field(1, name) + typed)


def _tensor(name: str, array: Array) -> bytes:
    dimensions = b"".join(_field(1, size) for size in array.shape)
    return dimensions + _field(2, _FLOAT) + _field(8, name) + _field(9, array.tobytes())


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dimensions = b"".join(_field(1, _field(1, size)) for size in shape)
    tensor_type = _field(1, _field(1, _FLOAT) + _field(2, dimensions))
    return _field(1, name) + _field(2, tensor_type)


def _field(number: int, value: int | str | bytes) -> bytes:
    """Write one field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Write seven bits a byte, the lowest first; the top bit says that more follow."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))


STRATEGY = Strategy(
    name="onnxruntime",
    family="peer",
    summary="ONNX Runtime's session of one Conv node",
    reference="ONNX Runtime developers, onnxruntime.ai; ONNX, operator Conv",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=filter_bytes,
    brings=("onnxruntime",),
    external=True,
)
