"""How parameters, environments and machines get the store's words."""

import pytest
from asv_tree import benchmark, result_file, row, write_source

from convbench.errors import BadUsage
from convbench.results import collect, load, load_table
from convbench.results.words import COLUMNS, Words, read_words


def config(tmp_path, text: str):
    (tmp_path / "convbench.toml").write_text(text)
    return tmp_path / "convbench.toml"


@pytest.mark.parametrize(
    ("variables", "requirements", "blas", "threads"),
    [
        ({}, {}, "", ""),
        ({}, {"libblas": "*=*mkl", "numpy": ""}, "mkl", ""),
        ({}, {"libblas[build=*openblas]": ""}, "openblas", ""),
        ({}, {"libblas": ""}, "", ""),
        ({"CONVBENCH_BLAS": "blis", "CONVBENCH_THREADS": "all"}, {}, "blis", "all"),
        ({"CONVBENCH_BLAS": "x"}, {"libblas": "*=*mkl"}, "x", ""),
        ({"CONVBENCH_BLAS": ""}, {"libblas": "*=*mkl"}, "mkl", ""),
    ],
)
def test_by_default_blas_and_threads_come_from_the_environment(
    variables, requirements, blas, threads
):
    words = Words()

    assert words.of_environment("blas", variables, requirements) == blas
    assert words.of_environment("threads", variables, requirements) == threads


@pytest.mark.parametrize("column", COLUMNS)
def test_by_default_a_parameter_of_the_column_s_name_says_strategy_problem_and_dtype(column):
    said = Words().of_parameters(column, dict.fromkeys(COLUMNS, "x"))

    assert said == ("x" if column in {"strategy", "problem", "dtype"} else "")


def test_the_first_name_that_says_something_wins():
    words = Words(parameters={"strategy": ("first", "second")})

    assert words.of_parameters("strategy", {"second": "b", "first": "a"}) == "a"
    assert words.of_parameters("strategy", {"second": "b", "first": ""}) == "b"
    assert words.of_parameters("strategy", {"third": "c"}) == ""


def test_a_requirement_of_any_other_name_says_its_version():
    words = Words(environment={"blas": ("numpy",)})

    assert words.of_environment("blas", {}, {"numpy": "2.0"}) == "2.0"


def test_a_config_is_read_and_tables_that_it_leaves_out_are_the_default_ones(tmp_path):
    words = read_words(
        config(
            tmp_path,
            '[parameters]\nstrategy = ["implementation", "method"]\nproblem = "shape"\n'
            '[machines]\n"old" = "new"\n',
        )
    )

    assert words.parameters == {"strategy": ("implementation", "method"), "problem": ("shape",)}
    assert words.environment == Words().environment
    assert (words.machine("old"), words.machine("other")) == ("new", "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[parameters", "expected TOML"),
        ("[words]\n", r"no table \[words\].*parameters, environment, machines"),
        ("[parameters]\nspeed = 'x'\n", "no column 'speed'.*strategy, problem"),
        ("[parameters]\nstrategy = 5\n", "strategy: expected a name or a list of names"),
        ("[parameters]\nstrategy = ['']\n", "expected a name or a list"),
        ("parameters = 5\n", r"\[parameters\] must be a table"),
        ("[machines]\nold = 5\n", "must have lines like"),
        ("[machines]\na = 'b'\nb = 'c'\n", "renames 'b' and renames others to it"),
    ],
)
def test_a_config_that_says_something_else_is_refused_with_what_is_accepted(
    tmp_path, text, message
):
    with pytest.raises(BadUsage, match=message) as refused:
        read_words(config(tmp_path, text))
    assert str(tmp_path) in str(refused.value)


def test_a_config_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadUsage, match="there is no such file"):
        read_words(tmp_path / "absent.toml")


def test_equal_words_have_equal_digests_and_others_other_ones():
    assert Words().digest == Words().digest
    assert len({Words().digest, Words(machines={"a": "b"}).digest, Words({}).digest}) == 3


@pytest.fixture
def results(tmp_path):
    text = result_file(
        {"a": row([1.0, 2.0], [["'im2col'", "'fft'"], ["'x'"]]), "b": row([3.0])},
        env_vars={"OMP_NUM_THREADS": "4", "METHOD": "direct"},
    )
    return write_source(tmp_path / "p", {"old/a.json": text}, benchmark("a", ["method", "shape"]))


SAID = Words(
    parameters={"strategy": ("method",), "problem": ("shape",)},
    environment={"threads": ("OMP_NUM_THREADS",), "strategy": ("METHOD",)},
)


def test_the_columns_are_filled_and_a_parameter_goes_before_the_environment(results, tmp_path):
    collect(results, tmp_path / "store", words=SAID)

    values = load(tmp_path / "store")
    assert values["value"].tolist() == [2.0, 1.0, 3.0]
    assert values["strategy"].tolist() == ["fft", "im2col", "direct"]
    assert values["problem"].tolist() == ["x", "x", ""]
    assert set(values["threads"]) == {"4"}
    assert set(values["blas"]) == {""}


def test_other_words_give_all_rows_of_the_given_sources_their_new_words(results, tmp_path):
    collect(results, tmp_path / "store")
    assert set(load(tmp_path / "store")["strategy"]) == {""}

    summary = collect(results, tmp_path / "store", words=SAID)

    assert summary.files_read == 1
    assert len(load(tmp_path / "store", strategy=["im2col", "fft"])) == 2


def test_a_renamed_machine_takes_the_rows_of_vanished_files_along(results, tmp_path):
    text = result_file({"b": row([4.0])}, commit_hash="b" * 40)
    write_source(results, {"new/b.json": text}, benchmark("a", ["method", "shape"]))
    collect(results, tmp_path / "store")
    (results / "old/a.json").rename(results / "old/moved")
    renamed = Words(machines={"old": "new"})

    collect(results, tmp_path / "store", words=renamed)

    values = load(tmp_path / "store")
    assert sorted(values["value"]) == [1.0, 2.0, 3.0, 4.0]
    assert set(values["machine"]) == {"new"}


def test_a_machine_that_is_renamed_again_has_one_name(results, tmp_path):
    write_source(results, {"old/b.json": result_file({"b": row([4.0])}, commit_hash="b" * 40)})
    collect(results, tmp_path / "store", words=Words(machines={"old": "first"}))
    (results / "old/a.json").rename(results / "old/moved")

    collect(results, tmp_path / "store", words=Words(machines={"old": "second"}))

    assert set(load(tmp_path / "store")["machine"]) == {"second"}


def test_small_tables_have_a_renamed_machine_under_its_new_name_only(results, tmp_path):
    collect(results, tmp_path / "store")

    collect(results, tmp_path / "store", words=Words(machines={"old": "new"}))

    for table in ("machines", "environments"):
        assert load_table(tmp_path / "store", table)["machine"].tolist() == ["new"]
