"""What the facts of a run say of its cells: operations executed, bytes of workspace."""

from collections.abc import Mapping

import pandas as pd

Costs = Mapping[tuple[str, ...], int]
"""By machine, environment, run, commit, strategy, problem and data type."""

_KEY = ["machine", "environment", "run", "commit", "strategy", "problem", "dtype"]


def cell_costs(cells: pd.DataFrame, column: str) -> Costs:
    """Give a column of the table `cells` where it is known.

    A cost belongs to its run and commit: another commit's code may need another.
    """
    known = cells[cells[column].notna()]
    keys = known[_KEY].fillna("").astype(str).itertuples(index=False, name=None)
    return dict(zip(keys, known[column].astype("int64").tolist(), strict=True))
