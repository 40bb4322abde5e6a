import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from convbench.commands import strategies
from convbench.strategies import STRATEGIES, Strategy

PAGE = Path(__file__).resolve().parents[2] / "docs" / "strategies.md"


def printed(*options: str) -> list[str]:
    parser = argparse.ArgumentParser()
    strategies.add_arguments(parser)
    lines: list[str] = []

    assert strategies.run(parser.parse_args(options), lines.append) == 0
    return lines


def test_the_page_in_docs_is_what_the_command_prints_today() -> None:
    assert PAGE.read_text().splitlines() == "\n".join(printed("--markdown")).splitlines(), (
        "write it again: convbench strategies --markdown > docs/strategies.md"
    )


def test_the_table_has_a_line_for_every_strategy() -> None:
    lines = printed()

    assert [line.split()[0] for line in lines] == list(STRATEGIES)
    assert all(one.summary in line for one, line in zip(STRATEGIES.values(), lines, strict=True))


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_says_what_it_does_and_where_it_comes_from(name: str) -> None:
    section = "\n".join(strategies.section(STRATEGIES[name]))

    for title in ("Source", "Reference", "Executed operations", "Workspace"):
        assert f"- **{title}:** " in section
    for title in ("Supports", "Error bound", "NaN and infinity", "Native runtimes"):
        assert f"- **{title}:** " in section
    assert strategies.method_and_source(STRATEGIES[name])[0]


def test_what_is_refused_stands_there_with_its_reason() -> None:
    def unsupported(problem: object) -> str | None:
        return "takes dense filters only" if problem.dilation != (1, 1) else None  # type: ignore[attr-defined]

    picky: Strategy = replace(STRATEGIES["im2col"], unsupported=unsupported)

    assert strategies.supported(picky).endswith("; not dilation (takes dense filters only)")
    assert strategies.supported(STRATEGIES["im2col"]).startswith("everything: ")


def test_what_is_optional_is_described_alike_with_and_without_it() -> None:
    optional = replace(STRATEGIES["im2col"], brings=("mkl_fft",))

    assert strategies.supported(optional) == "needs mkl_fft, optional"
    assert not list(strategies.cost_facts(optional))


def test_error_bounds_are_explained_in_the_words_of_their_docstrings() -> None:
    text = "\n".join(strategies.error_bounds())

    assert "### direct_error_bound" in text
    assert "γ_n Σ|x||w|" in text
    assert "### fft_error_bound" in text
