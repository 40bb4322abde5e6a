"""One entry more in the text of a triage file: what changes, and that nothing else does."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.results.triage_text import with_table

FIRST, SECOND, NEW = "3f2a9c1b04", "0000000001", "ffffffffff"
FILE = """\
# What the team decided. Ask ada before you add to it.

[[event]]
id = "3f2a9c1b04"         # as detect prints it
state = "expected"        # was "acknowledged" at first
reason = "sums in float64 # right"  # see #12
until = 2026-12-01

# The disk of m2 is old.
  [["event"]]  # of all machines
  reason = '''
not a table:
[[event]]
id = "3f2a9c1b04"
# nor a comment'''
  state = 'ignored'
  id = "0000000001"
  until = "abcdef0"  # the new disk
# The end.
"""


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def table(event: str, state: str = "acknowledged", **rest: str) -> dict[str, str]:
    return {"id": event, "state": state, "reason": "known", **rest}


def test_an_event_without_an_entry_gets_one_at_the_end() -> None:
    made = with_table(FILE, table(NEW, until="2027-01-01", by="ada"))

    assert made == FILE + (
        '\n[[event]]\nid = "ffffffffff"\nstate = "acknowledged"\nreason = "known"\n'
        'until = "2027-01-01"\nby = "ada"\n'
    )


def test_an_empty_file_gets_its_first_entry() -> None:
    assert with_table("", table(NEW)).splitlines()[:2] == ["[[event]]", 'id = "ffffffffff"']
    assert with_table("# nothing yet", table(NEW)).startswith("# nothing yet\n\n[[event]]\n")


def test_an_entry_is_replaced_in_its_place_and_its_comments_stay() -> None:
    made = with_table(FILE, table(FIRST, "ignored", by="eve"))

    assert made == FILE.replace(
        'state = "expected"        # was "acknowledged" at first\n'
        'reason = "sums in float64 # right"  # see #12\n'
        "until = 2026-12-01\n",
        'state = "ignored"        # was "acknowledged" at first\n'
        'reason = "known"  # see #12\n'
        'by = "eve"\n',
    )


def test_a_reason_of_several_lines_is_one_value_whatever_stands_in_it() -> None:
    made = with_table(FILE, table(SECOND, "ignored"))

    before, after = FILE.split("  reason = '''")[0], FILE.split("nor a comment'''\n")[1]
    comment = after.replace('  until = "abcdef0"  # the new disk', "  # the new disk")
    assert made == before + '  reason = "known"\n' + comment


def test_a_line_without_change_stays_as_it_is_written() -> None:
    same = {"id": FIRST, "state": "expected", "reason": "sums in float64 # right"}

    assert with_table(FILE, same) == FILE.replace("until = 2026-12-01\n", "")


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0b"])
def test_a_line_ends_where_toml_says_so(sign: str) -> None:
    """Python ends a line at these signs; TOML goes on with the comment, or refuses the last one."""
    text = f'[[event]]\nid = "3f2a9c1b04"\nstate = "ignored"  # or{sign}state = "expected"\n'

    made = with_table(text, {"id": FIRST, "state": "acknowledged"})

    assert made.startswith(text.replace('= "ignored"', '= "acknowledged"')) == (sign != "\x0b")


def test_ends_of_lines_stay_those_of_the_file() -> None:
    text = FILE.replace("\n", "\r\n")

    for event in (FIRST, SECOND, NEW):
        made = with_table(text, table(event, "ignored", until="2027-01-01"))
        assert made.count("\r\n") == made.count("\n")
        assert made == with_table(FILE, table(event, "ignored", until="2027-01-01")).replace(
            "\n", "\r\n"
        )


def test_a_file_that_ends_without_a_line_end_is_gone_on_with() -> None:
    text = f'[[event]]\nid = "{FIRST}"\nstate = "ignored"\nreason = "x"'

    assert len(tomllib.loads(with_table(text, table(NEW)))["event"]) == 2
    same = {"id": FIRST, "state": "ignored", "reason": "x", "by": "eve"}
    assert with_table(text, same) == f'{text}\nby = "eve"\n'


SIGNS = ['"', "\\", "\x7f", "\0", "a\nb\r\n", "\x1b[2J", "é\u2028名", "#", '"""']


@pytest.mark.parametrize("reason", SIGNS, ids=ascii)
@pytest.mark.parametrize("event", [FIRST, NEW])
def test_a_reason_may_hold_any_sign(event: str, reason: str) -> None:
    made = with_table(FILE, table(event) | {"reason": reason})

    said = {one["id"]: one["reason"] for one in tomllib.loads(made)["event"]}
    assert said[event] == reason


ANY = st.text(st.characters(exclude_categories=["Cs"]))
BLANKS = st.sampled_from(["", "\n", "\n# a comment: [[event]]\n", "  # id = 'x'\n\n"])


@given(data=st.data(), reasons=st.lists(ANY, min_size=1, max_size=4), new=ANY, by=ANY)
def test_whatever_texts_say_the_entry_is_replaced_and_all_else_stays(
    data: st.DataObject, reasons: list[str], new: str, by: str
) -> None:
    def entry(number: int, reason: str) -> str:
        keys = [f'id = "{number:010x}"', f"reason = {quoted(reason)}", 'state = "ignored"']
        lines = "".join(f"{key}{data.draw(BLANKS) or chr(10)}" for key in keys)
        return f"{data.draw(BLANKS)}[[event]]\n{lines}"

    reasons = [reason.replace("\x7f", "") for reason in reasons]
    entries = [entry(number, reason) for number, reason in enumerate(reasons)]
    wanted = data.draw(st.integers(0, len(entries)))
    told = {"id": f"{wanted:010x}", "state": "expected", "reason": new, "by": by}

    made = with_table("".join(entries), told)

    tables = [
        {"id": f"{number:010x}", "state": "ignored", "reason": reason}
        for number, reason in enumerate(reasons)
    ]
    tables[wanted : wanted + 1] = [told]
    assert tomllib.loads(made)["event"] == tables
    assert made.count("# a comment: [[event]]\n") >= "".join(entries).count("# a comment:")
    for number, text in enumerate(entries):
        if number != wanted:
            assert text in made
