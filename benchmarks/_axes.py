"""The axes, as strings of the current tree: they must not depend on the commit that is measured."""

import ast
import os
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "src/convbench/strategies/__init__.py"


def own_strategies(table: str) -> tuple[str, ...]:
    """Read the names of the table `_OWN` from its text, where they stand as literals.

    Peers are no axis: their versions are not convbench's history.
    """
    for node in ast.parse(table).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="_OWN"), value=ast.Dict(keys=names)):
                return tuple(ast.literal_eval(name) for name in names if name is not None)
    raise LookupError(f"{TABLE} has no table _OWN: a dict display with literal names")


STRATEGIES = own_strategies(TABLE.read_text(encoding="utf-8"))
EVERY_RUN = (
    "question",
    "cifar_resnet20_3x3",
    "alexnet_conv1",
    "vgg16_conv3_2",
    "resnet50_conv2_3x3",
    "resnet50_conv2_1x1",
    "mobilenetv2_dw3",
    "gray_blur31",
)
SMALLER_BLURS = ("gray_blur3", "gray_blur7", "gray_blur15")
"""Relatives of gray_blur31: only the side of the filter differs."""

ASKED_FOR = tuple(os.environ.get("CONVBENCH_PROBLEMS", "").split())
"""Problems that `convbench measure --problems` names; the others are not selected then."""
PROBLEMS = (*EVERY_RUN, *(name for name in ASKED_FOR if name not in (*EVERY_RUN, *SMALLER_BLURS)))

NULL_CASES = (
    "einsum question float64",
    "im2col question float32",
    "numba_nhwc question float32",
    "implicit_gemm cifar_resnet20_3x3 float32",
    "winograd_f4x3 resnet50_conv2_3x3 float32",
    "numba_depthwise mobilenetv2_dw3 float32",
    "fft gray_blur31 float32",
    "tensordot alexnet_conv1 float32",
)
"""Cells of the null control, which every run measures."""


def is_run(strategy: str) -> bool:
    """Tell whether this run has cells of a strategy: others need not be compiled before it."""
    asked_for = os.environ.get("CONVBENCH_STRATEGIES", "").split()
    controls = {case.partition(" ")[0] for case in NULL_CASES}
    # `auto` runs any of them.
    return not asked_for or "auto" in asked_for or strategy in {*asked_for, *controls}
