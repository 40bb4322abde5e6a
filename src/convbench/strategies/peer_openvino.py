"""OpenVINO on the CPU: a compiled model of one convolution, asked for latency.

Identity: the definition, by oneDNN's direct kernels on blocks of channels. The precision is pinned
to float32: on processors with bfloat16 OpenVINO would compute in that by itself.
Source: OpenVINO, operation sets, Convolution-1 and GroupConvolution-1.
"""

import threading
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that runs one inference at a time, and who may run it now."""

    request: Any
    turn: threading.Lock


def prepare(weights: Array, problem: ConvProblem) -> Prepared:
    """Compile a model that holds the filters, for as many threads as convbench uses."""
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads.count(),
    }
    compiled = openvino.Core().compile_model(_model(weights, problem), "CPU", settings)
    return Prepared(compiled.create_infer_request(), threading.Lock())


def run(x: Array, prepared: Prepared, problem: ConvProblem) -> Array:
    """Infer from x's memory into that of a new output."""
    import openvino

    x = plain(x)
    output = np.empty(problem.output_shape, dtype=x.dtype)
    # The request keeps addresses, not arrays: both are named anew before every inference.
    with prepared.turn:
        prepared.request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
        prepared.request.set_output_tensor(openvino.Tensor(output, shared_memory=True))
        prepared.request.infer(share_outputs=True)  # it would return copies otherwise
    return output


def unsupported(problem: ConvProblem) -> str | None:
    """Refuse channels last, and float64, which the CPU plugin would round to float32."""
    return LIBRARIES["openvino"].missing() or wrong_layout(problem, "NCHW") or wrong_dtype(problem)


def _model(weights: Array, problem: ConvProblem) -> Any:
    import openvino
    from openvino import opset13 as operations

    x = operations.parameter(problem.input_shape, np.float32)
    # By position: stride, padding before and after, dilation.
    parameters = [list(problem.stride), *([list(problem.padding)] * 2), list(problem.dilation)]
    filters = np.ascontiguousarray(weights)
    if problem.groups == 1:
        y = operations.convolution(x, filters, *parameters)
    else:
        by_group = filters.reshape(problem.groups, -1, *filters.shape[1:])
        y = operations.group_convolution(x, by_group, *parameters)
    return openvino.Model([y], [x], "convolution")


STRATEGY = Strategy(
    name="openvino",
    family="peer",
    summary="OpenVINO's compiled convolution in float32, hinted to latency",
    reference="OpenVINO documentation, operation Convolution-1",
    prepare=prepare,
    run=run,
    unsupported=unsupported,
    workspace_bytes=filter_bytes,
    brings=("openvino",),
    external=True,
)
