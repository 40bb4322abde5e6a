"""The newest values as data: what the overview's search finds, beyond what stands in it."""

from convbench.report.data_files import script
from convbench.report.newest import NewestValues, ValueCell


def newest_file(newest: NewestValues) -> dict[str, str]:
    """Make ``data/newest.js``, unless all values stand in the document.

    A row is the number of its series, that of its group, its label, and what each line says: the
    value, or the value, its interval and why it is doubtful.
    """
    if not newest.more:
        return {}
    rows = [
        [row.series, number, row.label, *(_cell(cell) for cell in row.cells)]
        for number, group in enumerate(newest.groups)
        for row in group.rows
    ]
    groups = [[group.title, group.detail] for group in newest.groups]
    data = {"columns": newest.columns, "groups": groups, "rows": rows}
    return {"data/newest.js": script("newest", data)}


def _cell(cell: ValueCell | None) -> str | list[str]:
    if cell is None:
        return "not measured"
    if not cell.text:
        return cell.status if cell.status != "ok" else "no number"
    said = [cell.text, cell.interval, cell.disturbed]
    return said if cell.disturbed else said[:2] if cell.interval else cell.text
