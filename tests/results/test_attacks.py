"""Attacks along the whole way from hostile results to terminals, files and commands.

SECURITY.md names what each part does against them; here every command meets one collection whose
every name is hostile.
"""

import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asv_tree import benchmark, facts_2, result_file, row, write_source

from convbench import cli
from convbench.results import collect, load, load_table, points
from convbench.results.store import MANIFEST

ROOT = Path(__file__).resolve().parents[2]

ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202e\x1b[201~"
MARKUP = "</script><script>alert(1)</script>"
CLIMB = "../../../climbed"
OPTION = "--config=/evil"
WORD = f"=1+1 {ESCAPE}{MARKUP}{CLIMB}`$(id)`;|\n::error::"
COMMIT = f"{OPTION}{ESCAPE}"


def source(folder: Path, run: str | None = None, commit: str = COMMIT) -> Path:
    """Results of thirty commits in which somebody who means harm has named everything."""
    name = f"suite.{WORD}"
    files = {
        f"m/{number:08x}-py.json": result_file(
            # A change in the middle, so that there is an event.
            {name: row([1.0 + (number > 14) + number % 5 / 1000], [[repr(WORD)]])},
            commit_hash=f"{commit}{number}",
            env_name="py" if run else f"{WORD}/py",
            date=1_690_000_000_000 + number * 86_400_000,
            params=dict.fromkeys(("machine", "cpu", "os", "arch", "ram"), WORD),
            python=WORD,
            requirements={WORD: WORD},
            env_vars={WORD: WORD},
        )
        for number in range(30)
    }
    (described,) = benchmark(name, [WORD]).values()
    about: dict[str, Any] = {"machine": dict.fromkeys(("machine", "cpu", "os"), WORD)}
    if run:
        about["facts"] = facts_2(
            run=run,
            machine=WORD,
            disturbed=WORD,
            provenance=facts_2()["provenance"] | {"command": WORD},
        )
    return write_source(folder, files, {name: described | {"code": WORD}}, **about)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of hostile results: of `asv run`, and of a measuring run."""
    folder = tmp_path_factory.mktemp("attacked")
    sources = [
        source(folder / "results"),
        source(folder / "runs" / "one", run=WORD, commit=f"c{ESCAPE}"),
    ]
    store = folder / "store"
    collect(sources, store, project=WORD)
    assert cli.main(["detect", str(store)]) == 0
    return folder


def points_of(store: Path) -> list[str]:
    """The newest value of each source, as the site names it."""
    rows = load(store).drop_duplicates("run", keep="last").to_dict("records")
    return [str(points.point_of(one)) for one in rows]


def commands_of(place: Path) -> list[list[str]]:
    store, theirs = str(place / "store"), f"{WORD}/py"
    event = load_table(place / "store", "events")["event"].iloc[0]
    return [
        ["collect", str(place / "results"), str(place / "runs"), "--store", store],
        ["detect", store, "--all"],
        ["inventory", store],
        ["diff-env", store, f"m/{theirs}", f"{quote(WORD)}/py", "--all"],
        ["diff-env", store, theirs, theirs, "--all"],
        ["triage", "--store", store],
        [
            *("triage", event, "--ignored", "--reason", WORD, "--by", WORD),
            *("--store", store, "--file", str(place / "triage.toml")),
        ],
        ["combine", store, "--store", str(place / "whole")],
        ["export", store, "--format", "csv", "--output", str(place / "rows.csv"), "--force"],
        ["report", store, "--output", str(place / "site"), "--project", "convbench"],
        ["bisect", event, "--store", store, "--config", str(ROOT / "asv.conf.json")],
        *(["reproduce", "--store", store, "--", point] for point in points_of(place / "store")),
    ]


def test_no_command_says_anything_that_a_terminal_would_act_on(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in commands_of(place):
        cli.main(words)

        out, error = capsys.readouterr()
        assert out + error
        assert [line for line in (out + error).split("\n") if not line.isprintable()] == [], words
        # A line that begins so is an order to some servers of continuous integration.
        assert "\n::" not in f"\n{out}{error}", words


def test_no_command_writes_anywhere_but_where_it_was_told_to(place: Path) -> None:
    for words in commands_of(place):
        cli.main(words)

    assert {path.name for path in place.iterdir()} <= {
        *("results", "runs", "store", "whole", "site", "rows.csv", "triage.toml")
    }
    assert list(place.parent.rglob("climbed")) == []
    for path in (place / "site").rglob("*"):
        assert not path.is_symlink()
        assert path.resolve().is_relative_to((place / "site").resolve())


def test_a_decision_with_any_reason_leaves_a_file_that_says_nothing_else(place: Path) -> None:
    words = next(words for words in commands_of(place) if words[1:2] and "--reason" in words)
    assert cli.main(words) == 0

    told = tomllib.loads((place / "triage.toml").read_text())

    (entry,) = told["event"]
    assert (entry["reason"], entry["by"]) == (WORD, WORD)


def test_what_would_be_an_option_is_no_command_to_repeat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collect(source(tmp_path / "results", commit="--config=x"), tmp_path / "store", project="p")
    (point,) = points_of(tmp_path / "store")

    code = cli.main(["reproduce", "--store", str(tmp_path / "store"), "--", point])

    out, error = capsys.readouterr()
    assert code == 2
    assert "command:" not in out
    assert "'--config=x29'" in error


# A store that came from elsewhere.


STRANGE = ("../gift/evil.parquet", "/etc/passwd", "values/../../evil.parquet", "a\0b", "\ud800", 5)


@pytest.mark.parametrize(
    ("family", "path"),
    [
        *(("values", path) for path in (*STRANGE, None, True, [], {}, [[]])),
        *(("intervals", path) for path in ("../a.parquet", None, [])),
        *(("samples", path) for path in ("../a.parquet", [])),
    ],
    ids=ascii,
)
def test_a_manifest_names_parts_of_its_store_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], family: str, path: object
) -> None:
    store, other = tmp_path / "store", tmp_path / "whole"
    results = write_source(tmp_path / "p", {"m/a.json": result_file({"a": row([1.0])})})
    collect(results, store)
    manifest = json.loads((store / MANIFEST).read_text())
    manifest["parts"][0]["paths"][family] = path
    (store / MANIFEST).write_text(json.dumps(manifest))

    for words in (["inventory", store], ["combine", store, "--store", other]):
        code = cli.main([str(word) for word in words])

        error = capsys.readouterr().err
        assert code == 2
        assert "is no part" in error
        assert error.count("\n") == 1
    assert not other.exists()


@pytest.mark.parametrize(
    "said", [5, None, [], {"m": 5}, {"m": {"host": 5}}, {"m": {"host": [["a"], "2"]}}], ids=repr
)
def test_what_a_manifest_says_of_processors_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: object
) -> None:
    store = tmp_path / "store"
    results = write_source(tmp_path / "p", {"m/a.json": result_file({"a": row([1.0])})})
    collect(results, store)
    manifest = json.loads((store / MANIFEST).read_text())
    (source,) = manifest["sources"].values()
    source["machines"] = said
    (store / MANIFEST).write_text(json.dumps(manifest))

    assert cli.main(["collect", str(results), "--store", str(store)]) == 2

    error = capsys.readouterr().err
    assert "words of another kind" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("linked", ["values", "values/project=x", "values/project=x/machine=y"])
def test_what_a_link_in_a_store_leads_to_is_never_deleted(tmp_path: Path, linked: str) -> None:
    store, mine = tmp_path / "store", tmp_path / "mine"
    for depth in ("a/b", "a", "."):
        (mine / depth).mkdir(parents=True, exist_ok=True)
        (mine / depth / "thesis.parquet").write_text("mine")
    before = sorted(mine.rglob("*"))
    (store / linked).parent.mkdir(parents=True)
    (store / linked).symlink_to(mine)
    (store / MANIFEST).write_text(
        '{"schema_version": 3, "sources": {}, "parts": [], "keep_samples": 1}'
    )
    results = write_source(tmp_path / "p", {"m/a.json": result_file({"a": row([1.0])})})

    cli.main(["collect", str(results), "--store", str(store)])

    assert [path for path in before if not path.exists()] == []
