"""Rows are numbered by what is equal in them, whatever the columns are."""

import numpy as np
import pandas as pd
import pytest

from convbench.results import numbering
from convbench.results.numbering import numbered


def by_definition(columns: list[list[object]], count: int) -> list[int]:
    numbers: dict[tuple[object, ...], int] = {}
    rows = zip(*columns, strict=True) if columns else [()] * count
    return [numbers.setdefault(row, len(numbers)) for row in rows]


@pytest.mark.parametrize("most", [1, 50, numbering.MOST])
@pytest.mark.parametrize("columns", [0, 1, 2, 12])
def test_rows_have_one_number_where_all_columns_are_equal(
    most: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbering, "MOST", most)
    seeded = np.random.default_rng(columns)
    made = [seeded.choice(list("abc"), 200).tolist() for _ in range(columns)]

    found = numbered(map(pd.Series, made), 200)

    assert found.tolist() == by_definition(made, 200)


def test_numbers_of_many_wide_columns_do_not_overflow() -> None:
    rows = np.arange(512)
    # 256 ** 8 is 0 in 64 bits: without care the first column, which alone tells halves apart, is.
    assert numbered([rows // 256, *[rows % 256] * 8], 512).tolist() == rows.tolist()


def test_nulls_are_equal_to_each_other_alone() -> None:
    assert numbered([pd.Series(["a", None, "", None])], 4).tolist() == [0, 1, 2, 1]


def test_no_rows_have_no_numbers() -> None:
    assert numbered([pd.Series([], dtype=object)], 0).tolist() == []
