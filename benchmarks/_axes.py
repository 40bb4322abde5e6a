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
