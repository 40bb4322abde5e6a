"""POINT: written and read back, found in the store, or refused with what is near."""

import pandas as pd
import pytest
from asv_tree import benchmark, facts, result_file, row, write_source
from hypothesis import given
from hypothesis import strategies as st

from convbench.errors import BadUsage
from convbench.results import collect, load, points
from convbench.results.points import Point

OF_RUN = "8156ac1a-ci-20261125T101500Z/mkl/1/run.Float32.time_run('im2col', 'question', 'float32')"
OF_COMMIT = "numpy/ci%20box/0123abcd/virtualenv-py3.12/bench_core.Core.time_arange(5, None, '<f4')"


def test_a_value_of_a_run_is_named_by_run_build_threads_and_cell():
    assert points.parse(OF_RUN) == Point(
        run="8156ac1a-ci-20261125T101500Z",
        blas="mkl",
        threads="1",
        benchmark="run.Float32.time_run",
        params=("im2col", "question", "float32"),
    )


def test_any_other_value_is_named_by_project_machine_commit_and_environment():
    assert points.parse(OF_COMMIT) == Point(
        project="numpy",
        machine="ci box",
        commit="0123abcd",
        environment="virtualenv-py3.12",
        benchmark="bench_core.Core.time_arange",
        params=("5", "None", "<f4"),
    )


@pytest.mark.parametrize("text", [OF_RUN, OF_COMMIT])
def test_a_point_is_written_as_it_is_read(text):
    assert str(points.parse(text)) == text


@pytest.mark.parametrize(
    ("typed", "params"),
    [
        ("r/b/1/f", ()),
        ("r/b/1/f()", ()),
        (" r/b/1/f('a','b', ) ", ("a", "b")),
        ('r/b/1/f("a")', ("a",)),
        ("r/b/1/f(im2col, 5)", ("im2col", "5")),
        ("r/b/1/f((1, 2), [3, ')'], {'a': 1})", ("(1, 2)", "[3, ')']", "{'a': 1}")),
        ("r/b/1/f(np.float64(3.0), -1)", ("np.float64(3.0)", "-1")),
        (r"r/b/1/f('it\'s, (1)')", ("it's, (1)",)),
        ("r//1/f", ()),
    ],
)
def test_what_people_type_is_understood(typed, params):
    assert points.parse(typed).params == params


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run",
        "run/mkl/f('a')",
        "a/b/c/d/e/f('a')",
        "/mkl/1/f()",
        "r/mkl/1/",
        "p/m//e/f()",
        "r/mkl/1/f('a'",
        "r/mkl/1/f('a') and more",
        "r/mkl/1/f('a)",
        "r/mkl/1/f(a], [b)",
        "r/mkl/1/f(x for x in y)",
        "r/mkl/1/f(" + "(" * 5000 + ")",
        "r/mkl/1/f(\x00)",
        "r/mkl/1/f(\ud800)",
        "x" * 100_000,
    ],
)
def test_anything_else_is_one_short_line_that_says_what_a_point_is(text):
    with pytest.raises(BadUsage, match="expected RUN/BLAS/THREADS") as refused:
        points.parse(text)

    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.one_of(TEXTS, st.sampled_from(["a/b", "f(x)", "50%", "%2F", "$HOME `!", " x ", "é\n"]))
PARAMS = st.one_of(
    TEXTS,
    st.sampled_from(["5", "-5", "1e3", "None", "(1, 2)", "(1+2j)", "1, 2", " 5", "'a'", "b'x'"]),
    st.integers().map(repr),
    st.floats().map(repr),
    TEXTS.map(repr),
)
NAMED = NAMES.filter(bool)


@given(NAMED, NAMES, NAMES, NAMED, st.lists(PARAMS, max_size=4))
def test_any_point_of_a_run_survives_writing(run, blas, threads, name, params):
    point = Point(run=run, blas=blas, threads=threads, benchmark=name, params=tuple(params))

    assert points.parse(str(point)) == point
    assert str(point).isprintable()


@given(NAMES, NAMES, NAMED, NAMES, NAMED, st.lists(PARAMS, max_size=4))
def test_any_other_point_survives_writing(project, machine, commit, environment, name, params):
    point = Point(
        project=project,
        machine=machine,
        commit=commit,
        environment=environment,
        benchmark=name,
        params=tuple(params),
    )

    assert points.parse(str(point)) == point


@given(NAMED)
def test_before_the_bracket_nothing_means_anything_to_a_shell_in_double_quotes(name):
    written = str(Point(run=name, benchmark=name))

    assert not set(written.partition("(")[0]) & set("$`\"\\!'\n")


@pytest.fixture
def values(tmp_path) -> pd.DataFrame:
    """One run with two cells and a failure, and a project without runs at two commits."""
    cells = [["'im2col'", "'fft'"], ["1", "2"]]
    known = benchmark("run.time_run", ["strategy", "n"])
    variables = {"CONVBENCH_BLAS": "mkl", "CONVBENCH_THREADS": "1"}
    text = result_file({"run.time_run": row([1.0, 2.0, None, 4.0], cells)}, env_vars=variables)
    write_source(tmp_path / "run-1", {"m/a.json": text}, known, facts=facts())
    files = {
        f"m/{letter}.json": result_file({"a.track": row([value])}, commit_hash=letter * 40)
        for letter, value in (("b", 5.0), ("c", 6.0))
    }
    write_source(tmp_path / "other", files)
    collect([tmp_path / "run-1", tmp_path / "other"], tmp_path / "store")
    return load(tmp_path / "store")


def test_every_row_of_a_store_is_found_by_its_own_point(values):
    for _, wanted in values.iterrows():
        text = str(points.point_of(wanted))

        found = points.find(values, points.parse(text))

        pd.testing.assert_series_equal(found, wanted)


def test_points_of_a_store_look_as_they_should(values):
    texts = {str(points.point_of(r)) for r in values.to_dict("records")}

    assert "run-1/mkl/1/run.time_run('im2col', 1)" in texts
    assert "other/m/bbbbbbbb/py/a.track()" in texts
    assert len(texts) == len(values)


def test_a_number_and_its_text_are_the_same_parameter(values):
    by_text = points.find(values, points.parse("run-1/mkl/1/run.time_run('fft', '2')"))

    assert by_text["value"] == 4.0


@pytest.mark.parametrize("commit", ["bbbbbbbb", "bb", "b" * 40])
def test_a_commit_may_be_cut_or_whole(values, commit):
    assert points.find(values, points.parse(f"other/m/{commit}/py/a.track"))["value"] == 5.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run-2/mkl/1/run.time_run('fft', 2)", "no run run-2 there; near: run-1"),
        ("run-1/blis/1/run.time_run('fft', 2)", "no blas blis there; near: mkl"),
        ("run-1/mkl/all/run.time_run('fft', 2)", "no threads all there; near: 1"),
        ("run-1/mkl/1/run.time_rum('fft', 2)", "no benchmark run.time_rum there; near: run.time_"),
        ("run-1/mkl/1/run.time_run('fft', 3)", r"near: run-1/mkl/1/run.time_run\('fft', [12]\);"),
        ("other/m/dddd/py/a.track", r"no commit dddd there; near: b{40}; c{40}"),
        ("convbench/m/aaaa/py/run.time_run('fft', 2)", "no project convbench there; near: other"),
    ],
)
def test_an_unknown_point_is_told_which_part_is_wrong_and_what_is_near(values, text, message):
    with pytest.raises(BadUsage, match=message) as refused:
        points.find(values, points.parse(text))

    assert str(refused.value).startswith(f"POINT {text.partition('(')[0]}")


def test_a_store_without_values_says_so(values):
    with pytest.raises(BadUsage, match="the store has no values"):
        points.find(values[:0], points.parse("run-1/mkl/1/f"))


def test_a_huge_point_is_refused_in_one_short_line(values):
    with pytest.raises(BadUsage, match="no run xxx") as refused:
        points.find(values, points.parse(f"{'x' * 100_000}/mkl/1/f"))

    assert len(str(refused.value)) < 500


def test_of_several_environments_none_is_guessed(values):
    twice = pd.concat([values, values.assign(environment="another")])

    with pytest.raises(BadUsage, match="in each of 2 environments: another, py"):
        points.find(twice, points.parse("run-1/mkl/1/run.time_run('fft', 2)"))


def test_of_a_commit_that_was_measured_again_it_is_the_newest(values):
    later = values["started_at"] + pd.Timedelta(days=1)
    twice = pd.concat([values.assign(started_at=later, value=9.0), values])

    assert points.find(twice, points.parse("other/m/bbbb/py/a.track"))["value"] == 9.0
