"""The reference is made of docstrings: every public name has one that says what is needed."""

import importlib

import pytest

validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate

MODULES = ("convbench", "convbench.results", "convbench.stats")
CONSTANTS = {"__version__", "STRATEGIES", "MIN_COMMITS"}  # described where they are assigned
ERRORS = ("BadResults", "BadUsage", "MeasureFailed")
NAMES = [
    *(f"{module}.{name}" for module in MODULES for name in importlib.import_module(module).__all__),
    *(f"convbench.errors.{name}" for name in ERRORS),
]
# Of numpydoc's checks those of what a reader needs. Not asked: examples and "See also" everywhere,
# and types beside those of the signature. A record's fields are its attributes.
CHECKS = {
    *("GL01", "GL03", "GL05", "GL06", "GL07", "GL08"),  # the docstring, its sections, their order
    *("SS03", "SS04", "SS05", "SS06"),  # a summary of one line, in the infinitive
    *("PR01", "PR02", "PR03", "PR05", "PR06"),  # every parameter, and no other
    *("RT01", "YD01"),  # what comes back
}
OF_RECORDS = CHECKS - {"PR01"}


@pytest.mark.parametrize("name", [name for name in NAMES if name.split(".")[-1] not in CONSTANTS])
def test_public_name_is_documented(name: str) -> None:
    checks = OF_RECORDS if name.split(".")[-1][0].isupper() else CHECKS

    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in checks]

    assert errors == []
