"""Results come from anybody's fork: whatever a file holds, the others are collected."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from asv_tree import facts, facts_2, format_1_file, result_file, row, source_in, write_source
from hostile_bytes import FILES, FORMAT_1, FORMAT_2, assert_consistent, stored
from hostile_collections import (
    GOOD_ROWS,
    collected_in_bounds,
    hostile_source,
    said_plainly,
    survived,
    variants,
)

from convbench import cli
from convbench.errors import BadResults
from convbench.results import collect, load, load_table, part_building, schema
from convbench.results.adapters import Origin, read_foreign
from convbench.results.exact_reader import read_exact
from convbench.results.fast_reader import FastReader
from convbench.results.part_building import DAMAGE


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


def lines_of(damaged: tuple[str, ...] | list[str], results: Path) -> dict[str, str]:
    """Every damaged file below `results` with the reason; each is said once."""
    said = dict(line.removeprefix(f"{results}/").split(": skipped, ", 1) for line in damaged)
    assert len(said) == len(damaged)
    return said


def with_results(text: str) -> str:
    """A file of format 2 whose results are spelt as given."""
    return result_file({}).replace('"results": {}', f'"results": {{{text}}}')


# Every value replaced by every other kind of value.


@pytest.mark.parametrize(
    "text", [result_file(FORMAT_2), format_1_file(FORMAT_1)], ids=["format 2", "format 1"]
)
def test_a_file_with_a_value_of_another_kind_is_stored_whole_or_not_at_all(tmp_path, store, text):
    files = {f"m/{number:05d}.json": new for number, (_, new) in enumerate(variants(text))}
    results = hostile_source(tmp_path / "p", files)
    expected = {}
    for name, new in files.items():
        try:
            expected[source_in(store, results / name)] = len(read_exact(new.encode()).rows.value)
        except DAMAGE:
            expected[source_in(store, results / name)] = 0

    summary = survived(results, store)

    refused = {source for source, count in expected.items() if not count}
    found = Counter(load(store)["source"])
    assert {source: found[source] for source in expected} == expected
    assert 50 < len(summary.damaged) <= len(refused) < len(files)


@pytest.mark.parametrize("kind", ["pyperf", "pytest-benchmark", "Google Benchmark"])
def test_another_tool_s_file_with_a_value_of_another_kind_is_whole_or_refused(kind):
    outcomes = Counter(_outcome(new.encode()) for text in FILES[kind] for _, new in variants(text))

    assert set(outcomes) == {"whole", "refused"}


def _outcome(raw: bytes) -> str:
    try:
        file = read_foreign(raw, Origin("c" * 40, 1))
    except DAMAGE:
        return "refused"
    assert_consistent(file)
    assert len(stored(file).values) == len(file.rows.value)
    return "whole"


def every_table(store: Path) -> None:
    for name in schema.TABLES:
        load_table(store, name)


@pytest.mark.parametrize("name", ["facts.json", "benchmarks.json", "m/machine.json"])
def test_a_source_s_own_word_of_another_kind_leaves_a_store_that_can_be_read(tmp_path, store, name):
    text = {
        "facts.json": json.dumps(facts_2()),
        "benchmarks.json": FILES["benchmarks.json"][0],
        "m/machine.json": FILES["machine.json"][0],
    }[name]
    results = tmp_path / "runs"
    hostile_source(results / "good" / "p")
    for number, (_, new) in enumerate(variants(text)):
        a_file = result_file({"a": row([1.0])}, commit_hash=f"{number:040x}")
        folder = write_source(results / f"{number:05d}", {"m/a.json": a_file})
        (folder / name).write_text(new)

    summary = survived(results, store)
    again = collect(results, store)

    every_table(store)
    assert summary.damaged
    assert again.files_read == 0
    assert again.damaged == summary.damaged


# Too much of something.

BOMBS = {
    "empty lists": lambda: with_results('"a": [[' + ",".join(["[]"] * 3_000_000) + "]]"),
    "many keys": lambda: with_results(",".join(f'"{i:x}": 0' for i in range(5_000_000))),
    "strings": lambda: '{"a": [' + ",".join(['"\u0100\u0101"'] * 5_000_000) + "]}",
    "parameters": lambda: with_results(f'"a": [[1.5], [{",".join(["[0]"] * 1_000_000)}]]'),
    "product of a million digits": lambda: with_results(
        f'"a": [null, [{",".join(["[0,0]"] * 1_000_000)}]]'
    ),
    "10**12 combinations": lambda: result_file({"a": row(None, [["0"] * 1000] * 4)}),
    "2**64 combinations": lambda: result_file({"a": row([], [["0"] * 2] * 64)}),
    "long combinations": lambda: result_file(
        {"a": row(None, [["x" * 1_000_000], [str(i) for i in range(100_000)]])}
    ),
    "wide combinations": lambda: result_file(
        {"a": row(None, [*[["0"]] * 40, [str(i) for i in range(1_900_000)]])}
    ),
    "deep": lambda: "[" * 100_000 + "]" * 100_000,
    "deep objects": lambda: '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep parameters": lambda: with_results(f'"a": [[1.5], [[{"[" * 900}{"]" * 900}]]]'),
    "number of a million digits": lambda: with_results(f'"a": [[{"9" * 1_000_000}]]'),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_one_line_within_seconds_and_a_gigabyte(tmp_path, store, bomb):
    results = hostile_source(tmp_path / "p", {"m/bomb.json": BOMBS[bomb]()})

    outcome = collected_in_bounds(results, store)

    if bomb != "deep parameters":  # which Python may read, or not
        assert list(lines_of(outcome.damaged, results)) == ["m/bomb.json"]
    assert said_plainly(outcome.damaged)
    assert outcome.good_rows == GOOD_ROWS
    assert outcome.grown_bytes < 1e9


BIG = {
    "floats": lambda: with_results(f'"a": [[1], [], {"null," * 9}[[{"1.5," * 23_900_000}1]]]'),
    "objects": lambda: (
        result_file({})[:-1] + ',"x":[' + ",".join(['{"a":1.5,"b":1.5,"c":1.5}'] * 990_000) + "]}"
    ),
    "long name": lambda: with_results(f'"\U0001f600{"a" * 120_000_000}": [[1.5]]'),
    "long parameter": lambda: with_results(f'"a": [[1.5], [["{"a" * 120_000_000}"]]]'),
    "long environment": lambda: result_file({}, env_name="e" * 120_000_000),
    "rows": lambda: with_results(
        f'"a": [[{"1," * 1_999_999}1], [[{",".join(map(str, range(2_000_000)))}]]]'
    ),
    "rows of nothing": lambda: result_file({"a": row(None, [[str(i) for i in range(1414)]] * 2)}),
    "benchmarks": lambda: with_results(",".join(f'"{i:x}":[]' for i in range(1_900_000))),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BIG)
def test_no_file_takes_more_than_gigabytes_or_a_minute(tmp_path, store, bomb):
    results = hostile_source(tmp_path / "p", {"m/bomb.json": BIG[bomb]()})

    outcome = collected_in_bounds(results, store, seconds=60)

    assert outcome.good_rows == GOOD_ROWS
    has_no_rows = bomb in ("long environment", "objects")
    assert has_no_rows or (outcome.rows > GOOD_ROWS) != bool(outcome.damaged)
    assert outcome.grown_bytes < 2.5e9


BESIDE = {
    "facts.json keys": lambda: json.dumps(facts())[:-1] + ',"a":0' * 9_000_000 + "}",
    "facts.json long": lambda: json.dumps(facts(project="p" * 120_000_000)),
    "benchmarks.json many": lambda: "{" + ",".join(f'"{i:x}":{{}}' for i in range(1_900_000)) + "}",
    "benchmarks.json long": lambda: '{"a":{"param_names":["' + "n" * 120_000_000 + '"]}}',
    "m/machine.json long": lambda: '{"cpu":"' + "c" * 120_000_000 + '"}',
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BESIDE)
def test_nor_does_what_lies_beside_the_results(tmp_path, store, bomb):
    hostile_source(tmp_path / "runs" / "good")
    source = write_source(tmp_path / "runs" / "bad", {"m/a.json": result_file({"a": row([1.0])})})
    (source / bomb.split()[0]).write_text(BESIDE[bomb]())

    outcome = collected_in_bounds(tmp_path / "runs", store)

    assert outcome.good_rows == GOOD_ROWS
    assert outcome.grown_bytes < 2e9


def test_many_small_files_of_many_rows_do_not_add_up(tmp_path, store, monkeypatch):
    monkeypatch.setattr(part_building, "MAX_PART_ROWS", 1000)
    grid = [[str(i) for i in range(30)]] * 2
    files = {
        f"m/{i}.json": result_file({"a": row(None, grid)}, date=10**12 + int(i)) for i in "345"
    }
    results = hostile_source(tmp_path / "p", files)

    first = survived(results, store)
    second = survived(results, store)

    assert first.failed == 901
    said = lines_of(first.damaged, results)
    assert list(said) == ["m/4.json", "m/5.json"]
    assert all("900 results" in line and "room for" in line for line in said.values())
    assert second.damaged == first.damaged


def test_the_fast_reader_counts_no_product_modulo_a_word():
    text = result_file({"a": row([], [["0"] * 2] * 64)})

    assert FastReader().read(text.encode()) is None


@pytest.mark.parametrize("name", ["facts.json", "benchmarks.json", "m/machine.json", "m/a.json"])
@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"a":' * 100_000, '{"ram": ' + "9" * 100_000 + "}", '{"a": 1e999999}'],
)
def test_too_deep_or_long_is_said_of_every_kind_of_file(tmp_path, store, name, content):
    hostile_source(tmp_path / "runs" / "good")
    bad = write_source(tmp_path / "runs" / "bad", {"m/a.json": result_file({"a": row([1.0])})})
    (bad / name).write_text(content)

    summary = survived(tmp_path / "runs", store)

    said = lines_of(summary.damaged, bad)
    assert set(said) <= {name}
    assert said or "1e999999" in content


def test_five_thousand_files_are_nothing_special(tmp_path, store):
    files = {f"m/{number}.json": "{}" for number in range(5000)}
    results = hostile_source(tmp_path / "p", files)

    assert len(survived(results, store).damaged) == 5000


# Moments that no calendar has.


@pytest.mark.parametrize("name", ["started_at", "finished_at"])
@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "300000-01-01", 5, True]
)
def test_a_run_at_no_possible_moment_is_refused_and_the_store_can_be_read(
    tmp_path, store, name, moment
):
    hostile_source(tmp_path / "runs" / "good")
    a_file = {"m/a.json": result_file({"a": row([1.0])})}
    bad = write_source(tmp_path / "runs" / "bad", a_file, facts=facts(**{name: moment}))

    summary = survived(tmp_path / "runs", store)

    assert list(lines_of(summary.damaged, bad)) == ["facts.json"]
    every_table(store)


@pytest.mark.parametrize("date", [-1, 1e300, 9e15, 1.5, True, "2020-01-01", None, [], float("nan")])
@pytest.mark.parametrize("place", ["date", "started_at"])
def test_a_date_that_is_none_is_refused(tmp_path, store, date, place):
    if place == "date":
        text = result_file({"a": row([1.0])}, date=date)
    elif date is None or date == 1.5:
        pytest.skip("a start may be unknown, or have fractions")
    else:
        text = result_file({"a": row([1.0], started_at=date)})
    results = hostile_source(tmp_path / "p", {"m/bad.json": text})

    assert list(lines_of(survived(results, store).damaged, results)) == ["m/bad.json"]


# Names.

NAMES = [
    *("../../x", "/etc/x", "..", ".", "CON", "a\0b", "a\nb", "\x1b]0;x\x07\x1b[2J", "\u202eabc"),
    *("\ud800", "x" * 9_998, " ", "a/b", "é", "%2e%2e", "x'; --", "<script>", "\u2028", "\x7f"),
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_is_a_text_and_nothing_else(tmp_path, store, name):
    good = json.loads(result_file({name: row([1.0, 2.0], [[name, repr(name)]])}))
    good |= {"requirements": {name: name}, "env_vars": {name: name}, "python": name}
    files = {
        "m/all.json": json.dumps(good | {"commit_hash": name, "env_name": name}),
        "m/bad.json": result_file({name: row([1.0, 2.0], [[name]])}),
        "m/key.json": json.dumps({name: 1, "version": name}),
    }
    results = hostile_source(tmp_path / "p", files)
    said = json.loads((results / "benchmarks.json").read_text())
    (results / "benchmarks.json").write_text(
        json.dumps(said | {name: {"param_names": [name[:1000]], "unit": name, "code": name}})
    )

    summary = survived(results, store)

    assert set(lines_of(summary.damaged, results)) == {"m/bad.json", "m/key.json"}
    text = name.encode(errors="backslashreplace").decode()
    rows = load(store, commit=text)
    assert rows["benchmark"].unique().tolist() == [text]
    assert rows["environment"].unique().tolist() == [text]
    # A text and the text with quotes are two values: they stay as asv wrote them.
    values = [value for one in rows["params"] for value in one.values()]
    assert sorted(values) == sorted([text, repr(name)])
    every_table(store)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_run_s_names_are_texts_and_nothing_else(tmp_path, store, name):
    hostile_source(tmp_path / "runs" / "good")
    run = facts(project=name, run=name, machine=name, commit=name)
    run["environments"] = {name: run["environments"]["py"] | {"packages": {name: name}}}
    text = {"m/a.json": result_file({"b": row([1.0])}, env_name=name)}
    bad = write_source(tmp_path / "runs" / "bad", text, facts=run)

    summary = survived(tmp_path / "runs", store)

    # Facts hold no surrogates; result files do, since a benchmark may be called so.
    assert list(lines_of(summary.damaged, bad)) == (["facts.json"] if name == "\ud800" else [])
    if not summary.damaged:
        assert load(store, project=name)[["run", "environment"]].values.tolist() == [[name, name]]
    every_table(store)


@pytest.mark.parametrize("name", ["..", ".", "\x1b[2J", "\u202eabc", "a\nb", "CON", "é"], ids=ascii)
def test_a_project_of_a_strange_name_stays_in_the_store(tmp_path, store, name):
    results = hostile_source(tmp_path / "p")

    collect(results, store, project=name)

    assert load(store, project=name).shape[0] == GOOD_ROWS
    assert {p.parent.name for p in store.glob("values/*/*")}.isdisjoint({"..", "."})


FOLDERS = [b"\x1b[2J", b"\xff\xfe", b"a\nb", b"CON", "\u202e".encode(), b"x" * 255, b" ", b"\\"]


@pytest.mark.parametrize("folder", FOLDERS, ids=ascii)
def test_a_machine_s_folder_may_have_any_name(tmp_path, store, folder):
    results = hostile_source(tmp_path / "p")
    place = results / os.fsdecode(folder)
    place.mkdir()
    (place / "a.json").write_text(result_file({"a": row([1.0])}))
    (place / os.fsdecode(b"\x1b[2J\xff.json")).write_text("{")
    (place / "machine.json").write_text("[")

    summary = survived(results, store)

    assert len(summary.damaged) == 2
    assert load(store)["machine"].nunique() == 2


def test_the_command_line_says_nothing_that_a_terminal_would_act_on(tmp_path, store, capsys):
    results = write_source(tmp_path / "p", {"m/\x1b[2J.json": "{"})

    exit_code = cli.main(["collect", str(results), "--store", str(store)])

    assert exit_code == 2
    assert said_plainly(capsys.readouterr().err.splitlines())


def test_a_machine_that_contradicts_the_store_is_named_in_plain_characters(tmp_path, store):
    text = {"m\x1b[2J/a.json": result_file({"a": row([1.0])})}
    for name, cpu in (("one", "EPYC"), ("two", "Xeon\x1b[2J")):
        write_source(tmp_path / "p" / name, text, machine={"cpu": cpu})

    summary = collect(tmp_path / "p", store, project="p")

    assert len(summary.damaged) == 1
    assert said_plainly(list(summary.damaged))


# Files that are none.

PLAIN = result_file({"a": row([7.0])})


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"", False),
        (PLAIN.encode("utf-16"), True),
        (b"\xef\xbb\xbf" + PLAIN.encode(), True),
        (result_file({"é": row([7.0])}).replace("\\u00e9", "é").encode("latin-1"), False),
        (gzip.compress(PLAIN.encode()), False),
        (PLAIN.encode() + b"\0", False),
        (PLAIN.encode()[:-1], False),
        (PLAIN.encode() * 2, False),
    ],
    ids=["empty", "utf-16", "BOM", "latin-1", "gzip", "NUL", "cut", "twice"],
)
def test_bytes_that_are_no_plain_json(tmp_path, store, content, read):
    results = hostile_source(tmp_path / "p", {"m/bad.json": content})

    summary = survived(results, store)

    assert len(summary.damaged) == (not read)
    assert len(load(store)) == GOOD_ROWS + read


def test_a_huge_sparse_file_is_not_read(tmp_path, store):
    results = hostile_source(tmp_path / "p", {"m/bad.json": ""})
    os.truncate(results / "m/bad.json", 10_000_000_000)

    said = lines_of(survived(results, store).damaged, results)

    assert said["m/bad.json"].startswith("10,000,000,000 bytes; files of at most")


def test_a_folder_called_like_a_file_is_refused_by_name(tmp_path, store):
    results = hostile_source(tmp_path / "p")
    (results / "m/x.json").mkdir()

    assert lines_of(survived(results, store).damaged, results) == {"m/x.json": "no regular file"}


@pytest.mark.parametrize("name", ["facts.json", "benchmarks.json", "m/machine.json"])
@pytest.mark.parametrize("target", ["itself", "nowhere", "outside"])
def test_links_beside_the_results_are_not_followed_out(tmp_path, store, name, target):
    hostile_source(tmp_path / "runs" / "good")
    bad = write_source(tmp_path / "runs" / "bad", {"m/a.json": result_file({"a": row([1.0])})})
    (tmp_path / "outside").write_text(json.dumps(facts(project="secret")))
    (bad / name).unlink(missing_ok=True)
    (bad / name).symlink_to(
        {"itself": Path(name).name, "nowhere": "absent"}.get(target, tmp_path / "outside")
    )

    summary = survived(tmp_path / "runs", store)

    assert list(lines_of(summary.damaged, bad)) == [name]
    assert "secret" not in load(store)["project"].tolist()


def test_another_tool_s_files_are_not_found_through_a_link_out(tmp_path, store):
    (tmp_path / "outside.json").write_text(FILES["pytest-benchmark"][0])
    (tmp_path / "found").mkdir()
    (tmp_path / "found/link.json").symlink_to(tmp_path / "outside.json")

    with pytest.raises(BadResults, match="no results in"):
        collect(tmp_path / "found", store)


def test_a_results_directory_may_itself_be_a_link(tmp_path, store):
    hostile_source(tmp_path / "elsewhere")
    (tmp_path / "p").symlink_to("elsewhere")

    assert survived(tmp_path / "p", store).damaged == ()


def test_a_file_that_vanishes_or_grows_while_it_is_read_is_one_line(tmp_path, store, monkeypatch):
    text = result_file({"a": row([7.0])})
    results = hostile_source(tmp_path / "p", {"m/gone.json": text, "m/grown.json": text})
    read = part_building.read_bounded

    def later(path: Path) -> bytes:
        if path.name == "gone.json":
            path.unlink()
        if path.name == "grown.json":
            path.write_text(text + "x")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(part_building, "read_bounded", later)
        first = collect(results, store)
    (results / "m/grown.json").write_text(text)
    second = survived(results, store)

    assert set(lines_of(first.damaged, results)) == {"m/gone.json", "m/grown.json"}
    assert second.damaged == ()
    assert len(load(store)) == GOOD_ROWS + 1


_AS_NOBODY = """
import os, sys
from convbench import cli
from convbench.commands import collect
from convbench.results import part_building, load
if os.geteuid() == 0:
    os.setegid(65534); os.seteuid(65534)
sys.exit(cli.main(["collect", sys.argv[1], "--store", sys.argv[2], "--strict"]))
"""


@pytest.mark.parametrize("name", ["m/bad.json", "n", "benchmarks.json", "m/machine.json"])
def test_what_may_not_be_read_is_named_and_strict_ends_with_2(tmp_path, name):
    text = result_file({"a": row([1.0])})
    results = hostile_source(tmp_path / "p", {"m/bad.json": text, "n/a.json": text})
    (tmp_path / "s").mkdir()
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents[:3]:  # pytest keeps its folders to the user
        folder.chmod(0o755)
    (tmp_path / "s").chmod(0o777)
    (results / name).chmod(0)

    words = [sys.executable, "-c", _AS_NOBODY, str(results), str(tmp_path / "s")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    (results / name).chmod(0o755)

    assert done.returncode == 2, done.stderr
    *said, _ = done.stdout.splitlines()
    assert f"{results}/{name}: skipped, Permission denied" in said
    assert all(line.startswith(f"{results}/{name}") for line in said)
    assert (load(tmp_path / "s")["benchmark"] == "good").sum() == GOOD_ROWS
