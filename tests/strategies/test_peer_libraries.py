"""Peers: absent, they say how to install them; present, they agree with the reference.

The product of tests over all strategies covers a peer too where it is installed. These tests
name what is skipped where it is not.
"""

import subprocess
import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from generators import PROBLEM_KINDS, assert_within, convolve_by

from convbench import STRATEGIES, ConvProblem, UnsupportedProblem, conv2d, threads
from convbench.reference import convolve
from convbench.strategies import _peer, peer_onnxruntime
from convbench.workloads import WORKLOADS

LIBRARY_OF = {
    "torch": "torch",
    "torch_channels_last": "torch",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "opencv": "cv2",
}
LAYOUT_OF = dict.fromkeys(LIBRARY_OF, "NCHW") | {"torch_channels_last": "NHWC"}
DTYPES_OF = dict.fromkeys(LIBRARY_OF, ("float32", "float64")) | dict.fromkeys(
    ("onnxruntime", "openvino"), ("float32",)
)
PEERS = [name for name, strategy in STRATEGIES.items() if strategy.external]

each_peer = pytest.mark.parametrize("name", PEERS)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_peer, "_is_installed", {}.get)


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_peer, "_is_installed", bool)


def test_peers_follow_the_own_rows() -> None:
    assert tuple(STRATEGIES)[-len(PEERS) :] == tuple(PEERS) == tuple(LIBRARY_OF)


@each_peer
@pytest.mark.usefixtures("absent")
def test_an_absent_library_is_refused_with_what_installs_it(name: str) -> None:
    problem = ConvProblem(**PROBLEM_KINDS["large_filter"], layout=LAYOUT_OF[name])
    x, weights = problem.random_operands()

    with pytest.raises(
        UnsupportedProblem, match=r"is not installed: pip install 'convbench\[\w+\]'"
    ):
        conv2d(x, weights, padding=problem.padding, layout=problem.layout, strategy=name)


def test_asking_a_peer_imports_nothing() -> None:
    code = (
        "import sys; from convbench import STRATEGIES, ConvProblem\n"
        "one = ConvProblem(in_channels=1, height=3, width=3, out_channels=1,"
        " kernel_height=3, kernel_width=3)\n"
        "for strategy in STRATEGIES.values():\n"
        "    strategy.external and (strategy.unsupported(one), strategy.workspace_bytes(one))\n"
        f"print(sorted({set(LIBRARY_OF.values())} & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"


@pytest.mark.usefixtures("present")
@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("torch", {"layout": "NHWC"}, "computes in layout NCHW; converting NHWC would be timed"),
        ("torch_channels_last", {}, "computes in layout NHWC; converting NCHW would be timed"),
        ("onnxruntime", {"dtype": "float64"}, "computes in float32 only; got float64"),
        ("openvino", {"dtype": "float64"}, "computes in float32 only; got float64"),
        ("opencv", {"in_channels": 3}, "filter2D convolves one channel; got 3"),
        ("opencv", {"stride": (2, 1)}, "filter2D has neither stride nor dilation"),
        ("opencv", {"dilation": (1, 2)}, "filter2D has neither stride nor dilation"),
        ("opencv", {"padding": (7, 0)}, "filter2D has no output larger than the image"),
    ],
)
def test_what_a_peer_refuses(name: str, changes: dict, reason: str) -> None:
    plain = ConvProblem(**PROBLEM_KINDS["large_filter"])

    refused = STRATEGIES[name].unsupported(replace(plain, **changes))

    assert refused is not None
    assert refused.startswith(reason)


@each_peer
def test_a_peer_agrees_with_the_reference(name: str) -> None:
    pytest.importorskip(LIBRARY_OF[name], reason=f"{LIBRARY_OF[name]} is an optional extra")
    strategy = STRATEGIES[name]
    taken = 0
    for kind, dtype in product(PROBLEM_KINDS, DTYPES_OF[name]):
        problem = ConvProblem(**PROBLEM_KINDS[kind], dtype=dtype, layout=LAYOUT_OF[name])
        if strategy.unsupported(problem):
            continue
        x, weights = problem.random_operands(seed=1)

        output = convolve_by(strategy, x, weights, problem)

        assert output.dtype == np.dtype(dtype)
        bound = strategy.error_bound(x, weights, problem)
        assert_within(output, convolve(x, weights, problem), bound)
        taken += 1
    assert taken == len(PROBLEM_KINDS) * len(DTYPES_OF[name]) or (name == "opencv" and taken >= 6)


@each_peer
def test_results_outlive_later_runs_and_do_not_depend_on_the_threads(name: str) -> None:
    pytest.importorskip(LIBRARY_OF[name], reason=f"{LIBRARY_OF[name]} is an optional extra")
    strategy = STRATEGIES[name]
    workload = "gray_blur31" if name == "opencv" else "mobilenetv2_dw14"
    problem = ConvProblem(**WORKLOADS[workload], layout=LAYOUT_OF[name])
    first, weights = problem.random_operands(seed=1)
    second, _ = problem.random_operands(seed=2)

    with threads.limit(2):
        prepared = strategy.prepare(weights, problem)
        outputs = [strategy.run(x, prepared, problem) for x in (first, second)]
    with threads.limit(1):
        expected = [convolve_by(strategy, x, weights, problem) for x in (first, second)]

    for x, output, alone in zip((first, second), outputs, expected, strict=True):
        assert_within(output, alone, 2 * strategy.error_bound(x, weights, problem))


# The package onnx reads and writes these very bytes, and its checker passes them.
MODEL = (
    b"\x08\x08"  # ir_version 8
    b":\xd9\x01"  # graph
    b'\ns\n\x01x\n\x07weights\x12\x01y"\x04Conv'
    b"*\x15\n\x0ckernel_shape@\x01@\x01\xa0\x01\x07"
    b"*\x10\n\x07strides@\x01@\x01\xa0\x01\x07"
    b"*\x11\n\x04pads@\x00@\x00@\x00@\x00\xa0\x01\x07"
    b"*\x12\n\tdilations@\x01@\x01\xa0\x01\x07"
    b"*\x0c\n\x05group\x18\x01\xa0\x01\x02"
    b"\x12\x0bconvolution"
    b"*\x19\x08\x01\x08\x01\x08\x01\x08\x01\x10\x01B\x07weightsJ\x04\x00\x00\x00?"
    b"Z\x1c\n\x01x\x12\x17\n\x15\x08\x01\x12\x11\n\x02\x08\x01\n\x02\x08\x01\n\x03\x08\xc8\x01\n\x02\x08\x02"
    b"b\x1c\n\x01y\x12\x17\n\x15\x08\x01\x12\x11\n\x02\x08\x01\n\x02\x08\x01\n\x03\x08\xc8\x01\n\x02\x08\x02"
    b"B\x02\x10\r"  # operator set 13
)


def test_the_model_of_one_node_is_the_wire_format_of_onnx() -> None:
    problem = ConvProblem(
        in_channels=1, height=200, width=2, out_channels=1, kernel_height=1, kernel_width=1
    )

    assert peer_onnxruntime.model(np.full((1, 1, 1, 1), 0.5, "f4"), problem) == MODEL
