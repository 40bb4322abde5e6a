"""`convbench bench-detectors` end to end, on as little as still says something."""

import argparse
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from convbench.commands import bench_detectors as command
from convbench.errors import BadResults, BadUsage
from convbench.stats.bench import detectors, material, pictures, protocols
from convbench.stats.bench.detectors import DETECTORS, Detector

PLAIN = ["--detector", "threshold-5", "--quick", "--jobs", "1"]


def run(*words: str) -> list[str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    lines: list[str] = []
    assert command.run(parser.parse_args(words), lines.append) == 0
    return lines


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        [
            {"series": series, "index": index, "value": float(value)}
            for series in range(20)
            for index, value in enumerate(np.exp(0.01 * rng.standard_normal(70)))
        ]
    )
    folder = tmp_path / "histories"
    folder.mkdir()
    # Neither in order nor always a value.
    frame.loc[5, "value"] = np.nan
    frame.sample(frac=1, random_state=1).to_parquet(folder / "some-project.parquet")
    return folder


def test_the_same_seed_gives_the_same_bytes_but_for_times(tmp_path: Path) -> None:
    documents = []
    for name in ("one.json", "two.json"):
        run(*PLAIN, "--test", "online", "cost", "--json", str(tmp_path / name))
        documents.append((tmp_path / name).read_text().partition('"cost"')[0])
    run(*PLAIN, "--test", "online", "--seed", "7", "--json", str(tmp_path / "other.json"))

    assert documents[0] == documents[1]
    assert (tmp_path / "other.json").read_text().partition('"cost"')[0] != documents[0]


def test_processes_change_nothing(tmp_path: Path) -> None:
    words = ["--detector", "threshold-5", "threshold-10", "--test", "five", "--quick"]
    run(*words, "--jobs", "1", "--json", str(tmp_path / "one.json"))
    run(*words, "--jobs", "2", "--json", str(tmp_path / "two.json"))

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_progress_and_tables_are_said_in_order() -> None:
    lines = run(*PLAIN, "--test", "length", "cost")

    assert lines[0] == "3 of 6: length, threshold-5"
    assert lines[1] == "6 of 6: length, ceiling"
    assert lines[2] == "timing threshold-5"
    assert lines.index("One step of 5 % in short and long histories") < lines.index(
        "Processor time"
    )


def test_json_has_every_cell_rule_and_version(tmp_path: Path) -> None:
    run(*PLAIN, "--test", "five", "--json", str(tmp_path / "all.json"))
    document = json.loads((tmp_path / "all.json").read_text())

    assert (document["seed"], document["share_of_series"]) == (1000, 0.1)
    assert document["made_by"].startswith(
        "`convbench bench-detectors --seed 1000 --detector threshold-5 --test five --quick` on "
    )
    cells = {(row["kind"], row["cv"], row["step"]) for row in document["figures"]}
    assert len(cells) == len(protocols.PROTOCOLS["five"].cells)
    assert document["detectors"] == [
        {"name": "threshold-5", "rule": DETECTORS["threshold-5"].rule, "package": "", "version": ""}
    ]
    assert document["left_out"] == []


def test_a_missing_peer_is_named_and_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Detector("gone", lambda _: [], "none", "gone-package", "no_such_module")
    monkeypatch.setattr(command, "DETECTORS", {**DETECTORS, "gone": gone})

    lines = run("--detector", "gone", "threshold-5", "--test", "five", "--quick", "--jobs", "1")

    assert any("gone is left out" in line and "pip install gone-package" in line for line in lines)
    assert not any(line.startswith("gone ") for line in lines)
    assert any(line.startswith("threshold-5 ") for line in lines)


def test_injection_without_histories_is_left_out_with_the_reason() -> None:
    lines = run(*PLAIN, "--test", "injection")

    assert any("injection is left out: it needs real histories" in line for line in lines)


def test_real_histories_are_read_in_order_and_without_gaps(histories: Path) -> None:
    collection = material.read_histories(histories)["some-project"]
    rng = np.random.default_rng(2)
    expected = [np.exp(0.01 * rng.standard_normal(70)) for _ in range(20)]

    values = [one.values for one in collection]  # noqa: PD011  # no object of pandas
    np.testing.assert_array_equal(values[0], np.delete(expected[0], 5))
    np.testing.assert_array_equal(values[1:], expected[1:])
    assert {(one.benchmark, one.beside) for one in collection} == {("", "")}


def test_histories_are_put_side_by_side_by_the_dates_of_their_commits(tmp_path: Path) -> None:
    """Whatever the order of the hashes, and also where they are stored as a category."""
    dates = pd.date_range("2026-01-01", periods=3)
    rows = [
        {"series": series, "index": index, "value": 1.0 + index, "commit": "cab"[at]}
        | {"commit_date": dates[at], "environment": "py3", "params": "", "benchmark": benchmark}
        for series, (benchmark, places) in enumerate(
            [("a.time_it", [0, 1, 2]), ("a.time_it", [1, 2]), ("a.peakmem_it", [0, 2])]
        )
        for index, at in enumerate(places)
    ]
    pd.DataFrame(rows).astype({"commit": "category"}).to_parquet(tmp_path / "one.parquet")

    first, second, memory = material.read_collection(tmp_path / "one.parquet")

    assert [one.commits.tolist() for one in (first, second, memory)] == [[0, 1, 2], [1, 2], [0, 2]]
    assert list(first.values) == [1, 2, 3]
    assert (first.benchmark, first.beside) == ("a.time_it ", "py3")
    assert (memory.benchmark, memory.beside) == ("a.peakmem_it ", "")  # bytes share nothing


def test_steps_are_injected_into_real_histories(histories: Path) -> None:
    lines = run(*PLAIN, "--test", "injection", "--histories", str(histories))
    heading = lines.index("Steps injected into real histories")

    assert lines[heading + 3].strip() == "some-project"
    assert lines[heading + 4].startswith("threshold-5 ")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder as TCPD's: two series without gaps, one with one, one of two dimensions."""
    folder = tmp_path / "tcpd"
    series = {
        "bank": [[1.0] * 30 + [2.0] * 30],
        "flat": [[3.0] * 40],
        "gap": [[1.0, None, 2.0]],
        "plane": [[1.0, 2.0], [1.0, 2.0]],
    }
    for name, dimensions in series.items():
        (folder / "datasets" / name).mkdir(parents=True)
        (folder / "datasets" / name / f"{name}.json").write_text(
            json.dumps({"series": [{"label": "V1", "raw": raw} for raw in dimensions]})
        )
    marks = {"6": [], "7": [30]}
    labels = {**dict.fromkeys(series, marks), "not_distributed": marks}
    (folder / "annotations.json").write_text(json.dumps(labels))
    return folder


def test_labelled_series_are_those_with_one_whole_dimension(labelled: Path) -> None:
    found = material.read_labelled(labelled)

    assert [(one.name, len(one.values)) for one in found] == [("bank", 60), ("flat", 40)]
    assert found[0].annotations == ((), (30,))


def test_detectors_are_scored_on_labelled_series(labelled: Path) -> None:
    lines = run(*PLAIN, "--test", "labelled", "--labelled", str(labelled))
    heading = lines.index("Series that people have labelled")

    assert lines[heading + 4].split()[:2] == ["threshold-5", "1.00"]  # it finds the step of "bank"


def test_a_folder_that_is_no_checkout_of_tcpd_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="is not a checkout of alan-turing-institute/TCPD"):
        material.read_labelled(tmp_path)


def test_goals_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours on a hundredth of the series, to see that every goal gets a verdict."""
    monkeypatch.setattr(command, "QUICK_SHARE", 0.004)

    lines = run(
        *(
            "--detector",
            "ours",
            "threshold-5",
            "--test",
            "cost",
            "--goals",
            "--quick",
            "--jobs",
            "1",
        )
    )
    verdicts = [line.split(":")[0].strip() for line in lines if line.startswith("  ")]
    judged = [one for one in verdicts if one in ("reached", "missed", "not judged")]

    # All but one that needs real histories and two that need labelled ones.
    assert len(judged) == 14
    assert judged.count("not judged") == 3


def test_tables_go_between_the_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    document = tmp_path / "statistics.md"
    document.write_text(f"before\n{command.BEGIN}\nformer tables\n{command.END}\nafter\n")

    for _ in range(2):
        run(*PLAIN, "--test", "five", "--document", str(document))
    text = document.read_text()

    assert text.startswith(f"before\n{command.BEGIN}\n\n**Five steps in 200 commits.**")
    assert text.endswith(f"{command.END}\nafter\n")
    assert "former tables" not in text
    assert "\n\n\n" not in text
    assert text.count("| threshold-5 |") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--detector", "best"], "--detector takes names of: ours, asv, .*; got 'best'"),
        (["--test", "speed"], "--test takes names of: false, step, .*; got 'speed'"),
        (["--jobs", "0"], "--jobs must be at least 1; got 0"),
        (["--seed", "-1"], "--seed must not be negative; got -1"),
        (["--histories", "."], "--histories takes a folder with Parquet files; . has none"),
        (["--histories", "nowhere"], "nowhere has none"),
        (["--json", "nowhere/all.json"], "--json takes a file in a folder that exists"),
        (["--document", "plain.md"], "plain.md lacks them"),
    ],
)
def test_wrong_options_are_refused_in_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.md").write_text("no marks\n")

    with pytest.raises(BadUsage, match=message) as refused:
        run(*words)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"no parquet", b""])
def test_a_file_that_is_not_parquet_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(content)

    with pytest.raises(BadResults, match=r"broken\.parquet is not a Parquet file with the columns"):
        material.read_histories(tmp_path)


def test_a_parquet_file_of_other_columns_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"series": [1], "index": [0], "value": ["fast"]}).to_parquet(
        tmp_path / "words.parquet"
    )
    pd.DataFrame({"time": [1.0]}).to_parquet(tmp_path / "other.parquet")

    for name in ("words", "other"):
        with pytest.raises(BadResults, match=f"{name}.parquet is not a Parquet file with"):
            material.read_collection(tmp_path / f"{name}.parquet")


def test_pictures_are_drawn_alike_twice_and_are_well_formed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "CURVE_SERIES", 5)
    for folder in ("one", "two"):
        run(*PLAIN, "--test", "injection", "--pictures", str(tmp_path / folder))
    names = sorted(path.name for path in (tmp_path / "one").iterdir())

    assert names == ["ceiling.svg", "noise.svg", "steps.svg"]
    for name in names:
        drawing = (tmp_path / "one" / name).read_bytes()
        assert drawing == (tmp_path / "two" / name).read_bytes()
        assert ElementTree.fromstring(drawing).tag.endswith("svg")


def test_a_detector_that_is_not_installed_is_said_in_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = Detector("asv", lambda _: [], "none", "asv", "no_such_module")
    monkeypatch.setattr(pictures, "DETECTORS", {**detectors.DETECTORS, "asv": gone})

    assert pictures.hidden_steps(1000).count("not installed") >= 4
