"""One asv results directory out of all bundles: what asv itself reads and goes on from."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_runs import Counting, files_below, write_results, write_run

from convbench.results.collection import say_nothing
from convbench.sharing import open_place, pull_as_asv, push
from convbench.sharing.asv_directory import united


def share(place_text: str, results) -> None:
    push([results], open_place(place_text), say=say_nothing)


def described(results, **versions: str) -> None:
    """Write descriptions of benchmarks of these versions."""
    entries = {name: {"name": name, "version": v} for name, v in versions.items()}
    (results / "benchmarks.json").write_text(json.dumps(entries | {"version": 2}))


def test_the_directory_has_the_newest_version_of_each_file(place_text, tmp_path):
    results = write_results(tmp_path / "p/results", "ci", {1: 1.0, 2: 2.0})
    share(place_text, results)
    write_results(results, "ci", {2: 20.0, 3: 3.0})
    share(place_text, results)
    run = write_run(tmp_path / "runs", 7, "other")
    share(place_text, tmp_path / "runs")

    pull_as_asv(open_place(place_text), tmp_path / "there")

    found = files_below(tmp_path / "there")
    expected = files_below(results) | {
        path: content for path, content in files_below(run).items() if "/" in path
    }
    del expected["benchmarks.json"]
    described_there = json.loads(found.pop("benchmarks.json"))
    assert found == expected
    assert described_there["version"] == 2


def test_a_second_pull_reads_what_is_new_and_nothing_else(place_text, tmp_path):
    for number in range(10):
        share(place_text, write_results(tmp_path / "p/results", f"m{number}", {number: 1.0}))
    first, second = Counting(open_place(place_text)), Counting(open_place(place_text))
    pull_as_asv(first, tmp_path / "there")
    share(place_text, write_results(tmp_path / "p/results", "new", {11: 1.0}))

    done = pull_as_asv(second, tmp_path / "there")

    assert done.pulled == ["new/00000011-py.json", "new/machine.json"]
    assert len(second.reads) == 4  # manifest, descriptions, machine, results
    assert second.bytes < first.bytes / 5


def test_versions_that_nobody_needs_are_not_read(place_text, tmp_path):
    results = tmp_path / "p/results"
    for value in range(5):
        share(place_text, write_results(results, "ci", {1: float(value)}))
    place = Counting(open_place(place_text))

    pull_as_asv(place, tmp_path / "there")

    assert len([path for path in place.reads if path.endswith("-py.json")]) == 1
    assert (
        files_below(tmp_path / "there")["ci/00000001-py.json"]
        == (results / "ci/00000001-py.json").read_bytes()
    )


def test_descriptions_are_united_and_the_newest_push_wins(place_text, tmp_path):
    one = write_results(tmp_path / "one/results", "m1", {1: 1.0})
    described(one, a="1", b="1")
    two = write_results(tmp_path / "two/results", "m2", {1: 1.0})
    described(two, b="2", c="1")
    share(place_text, one)
    share(place_text, two)

    pull_as_asv(open_place(place_text), tmp_path / "there")

    said = json.loads((tmp_path / "there/benchmarks.json").read_text())
    assert said.pop("version") == 2
    assert {name: entry["version"] for name, entry in said.items()} == {
        **{"a": "1", "b": "2", "c": "1"}
    }


_NAMES = st.sampled_from("abc")
_PUSHES = st.lists(st.dictionaries(_NAMES, st.integers(0, 3)), max_size=6)


@given(_PUSHES, st.randoms(use_true_random=False))
def test_whatever_the_order_of_pulls_the_union_is_that_of_the_pushes(pushes, rng: random.Random):
    at_once = united(pushes, {})

    bit_by_bit, here = [], {}
    for number in rng.sample(range(len(pushes)), len(pushes)):
        bit_by_bit = sorted([*bit_by_bit, number])
        here = united([pushes[one] for one in bit_by_bit], here)

    assert here == at_once
    assert at_once == {name: said for push in pushes for name, said in push.items()}


@given(_PUSHES, st.dictionaries(_NAMES, st.integers(10, 13)))
def test_what_nobody_pushed_is_kept(pushes, here):
    assert united(pushes, here) == united(pushes, {}) | here


def test_what_asv_measured_here_since_is_kept_and_pushed(place_text, tmp_path):
    results = write_results(tmp_path / "p/results", "ci", {1: 1.0})
    share(place_text, results)
    there = tmp_path / "q/results"
    pull_as_asv(open_place(place_text), there)
    write_results(there, "ci", {1: 5.0, 2: 6.0})
    described(there, a="9")
    own = files_below(there)

    write_results(results, "ci", {1: 7.0, 3: 3.0})
    share(place_text, results)
    pull_as_asv(open_place(place_text), there)

    found = files_below(there)
    assert {path: found[path] for path in own} == own
    assert "ci/00000003-py.json" in found
    share(place_text, there)
    pull_as_asv(open_place(place_text), results)
    back = files_below(results)
    assert json.loads(back.pop("benchmarks.json")) == json.loads(found.pop("benchmarks.json"))
    assert back == found


def test_what_was_deleted_here_stays_so(place_text, tmp_path):
    share(place_text, write_results(tmp_path / "p/results", "ci", {1: 1.0}))
    pull_as_asv(open_place(place_text), tmp_path / "there")
    (tmp_path / "there/ci/00000001-py.json").unlink()

    assert pull_as_asv(open_place(place_text), tmp_path / "there").pulled == []


def test_a_damaged_bundle_gives_way_to_the_version_before(tmp_path):
    place_text = str(tmp_path / "shared")
    results = write_results(tmp_path / "p/results", "ci", {1: 1.0})
    share(place_text, results)
    old = (results / "ci/00000001-py.json").read_bytes()
    write_results(results, "ci", {1: 2.0})
    (new,) = push([results], open_place(place_text), say=say_nothing).pushed
    (tmp_path / "shared" / new / "ci/00000001-py.json").write_text("{")

    done = pull_as_asv(open_place(place_text), tmp_path / "there")

    assert len(done.refused) == 1
    assert files_below(tmp_path / "there")["ci/00000001-py.json"] == old


@pytest.mark.parametrize("text", ["[]", "{", '"text"'])
def test_descriptions_that_are_none_refuse_their_bundle(tmp_path, text):
    place_text = str(tmp_path / "shared")
    run = write_run(tmp_path / "runs", 1)  # of a run, whatever it has is pushed
    (run / "benchmarks.json").write_text(text)
    share(place_text, tmp_path / "runs")

    done = pull_as_asv(open_place(place_text), tmp_path / "there")

    assert len(done.refused) == 1
    assert files_below(tmp_path / "there") == {}


def test_asv_reads_nothing_of_what_is_kept_beside(tmp_path):
    place_text = str(tmp_path / "shared")
    share(place_text, write_results(tmp_path / "p/results", "ci", {1: 1.0}))
    pull_as_asv(open_place(place_text), tmp_path / "there")

    assert list((tmp_path / "there/.shared").rglob("*.json")) == []
