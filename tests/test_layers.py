"""The direction of imports, as the design draws it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "convbench"

MEASURED = {
    *("problem", "workloads", "reference", "strategies", "blas", "wheels"),
    *("machine", "timing", "threads", "question", "peers"),
    *("ceilings", "interpreted", "cost_model", "calibration", "repeated"),
    *("asv_config", "asv_run", "claims", "measuring", "runs", "run_facts", "selection", "sweep"),
    "comparison",
    *("host", "disturbance", "noise_floor", "peaks", "memory_levels", "units"),
}
SAID = {"results", "stats", "report", "sharing"}
STANDALONE = {"blas", "memory_levels", "peaks", "wheels", "workloads", "reference"}
"""Loaded as plain files beside another commit's package, so they import nothing of this one."""

MODULES = sorted(PACKAGE.rglob("*.py"))


PARTS = {path.stem if path.suffix == ".py" else path.name for path in PACKAGE.iterdir()}


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


class RunTimeOnly(ast.NodeTransformer):
    """Drops what only type checkers read."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def imported_parts(module: Path) -> set[str]:
    """Names directly below `convbench` that a module imports when it runs."""
    parts: set[str] = set()
    for node in ast.walk(RunTimeOnly().visit(ast.parse(module.read_text()))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{module} uses a relative import; this test reads absolute ones"
            )
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        parts |= {name.split(".")[1] for name in names if name.startswith("convbench.")}
    # Names of the package itself, such as STRATEGIES, come from the measured half.
    return {part if part in PARTS else "problem" for part in parts}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_the_two_halves_never_import_each_other(module: Path) -> None:
    forbidden = {
        **dict.fromkeys(MEASURED, SAID | {"commands", "cli"}),
        **dict.fromkeys(SAID, MEASURED | {"commands", "cli"}),
        "commands": {"cli"},
    }

    assert not imported_parts(module) & forbidden.get(part_of(module), set())


@pytest.mark.parametrize("name", sorted(STANDALONE))
def test_files_that_are_loaded_beside_other_commits_import_nothing_of_this_one(name: str) -> None:
    assert imported_parts(PACKAGE / f"{name}.py") == set()


def test_every_module_belongs_to_a_half_or_to_the_joint() -> None:
    joint = {"__init__", "adoption", "errors", "commands", "manual", "command_line", "cli"}

    assert {part_of(module) for module in MODULES} <= MEASURED | SAID | joint
