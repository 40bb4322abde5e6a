"""What `triage.toml` may hold, and what is said of every mistake."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convbench.errors import BadUsage
from convbench.results.triage_file import TRIAGE, parse_triage, read_triage, write_entry
from convbench.stats.triage import STATES, Entry

GOOD = {"id": "3f2a9c1b04", "state": "expected", "reason": "as planned"}


def entries(*tables: dict[str, object]) -> tuple[Entry, ...]:
    return parse_triage({"event": list(tables)}, "triage.toml")


def test_an_entry_says_all_that_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[event]]\nid = "3f2a9c1b04"\nstate = "ignored"\nreason = " flaky disk "\n'
        'until = "2026-12-01"\nby = "ada"\n\n'
        '[[event]]\nid = "0000000001"\nstate = "acknowledged"\nreason = "#12"\n'
    )

    assert read_triage(path) == (
        Entry("3f2a9c1b04", "ignored", "flaky disk", date(2026, 12, 1), "ada"),
        Entry("0000000001", "acknowledged", "#12"),
    )


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        (date(2026, 12, 1), date(2026, 12, 1)),  # TOML's own
        ("abcdef0", "abcdef0"),
        ("20261201", "20261201"),  # digits alone are a hash
        ("a" * 40, "a" * 40),
    ],
)
def test_an_end_is_a_date_or_a_commit(given: object, until: object) -> None:
    (entry,) = entries(GOOD | {"until": given})

    assert entry.until == until


def test_without_a_file_in_the_folder_nothing_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_triage(None) == ()

    Path(TRIAGE).write_text("")
    assert read_triage(None) == ()

    Path(TRIAGE).write_text('[[event]]\nid = "3f2a9c1b04"\nstate = "ignored"\nreason = "x"\n')
    assert [entry.event for entry in read_triage(None)] == ["3f2a9c1b04"]


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"--triage .*no\.toml: there is no such file"):
        read_triage(tmp_path / "no.toml")


@pytest.mark.parametrize("content", [b"[[event]", b"\xff\xfe", b"event = ", b"a = 1\na = 2"])
def test_what_is_no_toml_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.toml").write_bytes(content)

    with pytest.raises(BadUsage, match=r"t\.toml: expected TOML") as refusal:
        read_triage(tmp_path / "t.toml")

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"id": "3F2A9C1B04"}, "id is '3F2A9C1B04'; expected the 10 hexadecimal digits"),
        ({"id": "3f2a9c1b0"}, "id is '3f2a9c1b0'; expected the 10"),
        ({"id": 1234567890}, "id is 1234567890; expected a text in quotes"),
        ({"state": "muted"}, "state is 'muted'; the states are acknowledged, expected, ignored"),
        ({"state": ["ignored"]}, "state is .'ignored'.; expected a text"),
        ({"reason": "  "}, "reason is empty; say why"),
        ({"until": "tomorrow"}, "until is 'tomorrow'; expected a date such as 2026-12-01"),
        ({"until": "2026-02-30"}, "until is '2026-02-30'; expected a date"),
        ({"until": "abc"}, "until is 'abc'"),
        ({"until": 7}, "until is 7"),
        ({"until": 1 << 20_000}, "until is a number of thousands of digits; expected a date"),
        ({"id": 1 << 20_000}, "id is a number of thousands of digits; expected a text"),
        ({"by": 7}, "by is 7; expected a text"),
        ({"untill": "2026-12-01"}, "no key 'untill'; the keys are id, state, reason, until, by"),
    ],
)
def test_a_mistake_is_named_with_its_entry(mistake: dict[str, object], said: str) -> None:
    first = GOOD | {"id": "0000000001"}

    with pytest.raises(BadUsage, match=rf"^triage\.toml: entry 2(:| has) ?.*{said}"):
        entries(first, GOOD | mistake)


@pytest.mark.parametrize("missing", ["id", "state", "reason"])
def test_what_every_entry_needs_is_missed(missing: str) -> None:
    table = {name: value for name, value in GOOD.items() if name != missing}

    with pytest.raises(BadUsage, match=f"entry 1 has no {missing}; every entry needs id, state"):
        entries(table)


def test_two_entries_for_one_event_are_refused() -> None:
    with pytest.raises(BadUsage, match="entry 3: event 3f2a9c1b04 has entry 1 already"):
        entries(GOOD, GOOD | {"id": "0000000001"}, GOOD)


@pytest.mark.parametrize("data", [{"event": GOOD}, {"event": [1]}, {"event": "x"}, {"events": []}])
def test_another_shape_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadUsage, match=r"\[\[event\]\]"):
        parse_triage(data, "triage.toml")


def written(path: Path, **table: str) -> list[str]:
    """Write an entry; give the ids and the states of all, in order."""
    write_entry(path, GOOD | table)
    return [f"{entry.event} {entry.state}" for entry in read_triage(path)]


def test_an_entry_is_added_once_and_then_replaced(tmp_path: Path) -> None:
    path = tmp_path / TRIAGE

    assert written(path) == ["3f2a9c1b04 expected"]
    assert written(path, id="0000000001") == ["3f2a9c1b04 expected", "0000000001 expected"]
    assert written(path, state="ignored") == ["3f2a9c1b04 ignored", "0000000001 expected"]
    assert write_entry(path, GOOD) == Entry("3f2a9c1b04", "ignored", "as planned")
    assert write_entry(path, GOOD | {"id": "0000000002"}) is None
    assert [file.name for file in tmp_path.iterdir()] == [TRIAGE]  # nothing is left beside it


def test_keys_are_written_in_the_order_of_the_documentation(tmp_path: Path) -> None:
    table = {"by": "ada", "until": "2026-12-01", **GOOD}
    write_entry(tmp_path / TRIAGE, table)

    lines = (tmp_path / TRIAGE).read_text().splitlines()[1:]
    assert [line.split(" = ")[0] for line in lines] == ["id", "state", "reason", "until", "by"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[event]", "expected TOML"),
        ("\N{SNOWMAN}".encode("utf-16"), "expected TOML"),
        ('[[event]]\nid = "x"\nstate = "ignored"\nreason = "y"', "entry 1: id is 'x'"),
        ('event = [{id = "3f2a9c1b04", state = "ignored", reason = "x"}]', "can't be written with"),
        ('event = [{id = "0000000001", state = "ignored", reason = "x"}]', "can't be written with"),
        ("event = []", "can't be written without changing others"),
    ],
)
def test_a_file_that_is_not_understood_stays_as_it_is(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    path, raw = tmp_path / TRIAGE, content if isinstance(content, bytes) else content.encode()
    path.write_bytes(raw)

    with pytest.raises(BadUsage, match=rf"triage\.toml: .*{said}") as refusal:
        write_entry(path, GOOD)

    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == raw


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"until": "tomorrow"}, "the new entry: until is 'tomorrow'; expected a date"),
        ({"reason": " "}, "the new entry: reason is empty; say why"),
        ({"state": "muted"}, "the new entry: state is 'muted'"),
        ({"reason": "\udcff"}, "the new entry: reason has bytes that are no text"),  # of a shell
    ],
)
def test_an_entry_with_a_mistake_is_not_written(
    tmp_path: Path, mistake: dict[str, str], said: str
) -> None:
    with pytest.raises(BadUsage, match=said):
        write_entry(tmp_path / TRIAGE, GOOD | mistake)

    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / TRIAGE
    write_entry(path, GOOD)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_entry(path, GOOD | {"state": "ignored"})

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [TRIAGE]


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept.toml").write_text("# ours\n")
    (tmp_path / TRIAGE).symlink_to("kept.toml")

    write_entry(tmp_path / TRIAGE, GOOD)

    assert (tmp_path / TRIAGE).is_symlink()
    assert (tmp_path / "kept.toml").read_text().startswith("# ours\n\n[[event]]\n")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"there is no folder .*no; make it"):
        write_entry(tmp_path / "no" / TRIAGE, GOOD)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(table=st.fixed_dictionaries({}, optional=dict.fromkeys((*GOOD, "until", "by"), ANY)))
def test_whatever_an_entry_holds_it_is_read_or_refused_in_one_line(
    table: dict[str, object],
) -> None:
    said = outcome(GOOD | table)

    assert said in STATES or (said.startswith("triage.toml: entry 1") and "\n" not in said)


def outcome(table: dict[str, object]) -> str:
    """Give the state of the entry, or the message of its refusal."""
    try:
        return entries(table)[0].state
    except BadUsage as refusal:
        return str(refusal)
