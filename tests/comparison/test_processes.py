"""Worker processes: fresh ones, whatever a cell does to them; nothing of them is left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy_arms import arm, workshop

from convbench.comparison.arms import Place
from convbench.comparison.processes import Answer, Order, discover, measure
from convbench.errors import MeasureFailed

SUITE = """
import os, time
from asv_runner.benchmarks.mark import SkipNotImplemented

def time_fine(): pass
def time_raises(): raise ValueError("no\\nway")
def time_exits(): raise SystemExit(3)
def time_dies(): os._exit(3)
def time_is_killed(): os.kill(os.getpid(), 9)
def time_hangs(): time.sleep(600)
def time_skips(): raise SkipNotImplemented("not today")
def time_tells():
    with open(os.environ["TOLD"], "a") as told:
        told.write(f"{os.getpid()} {sorted(os.sched_getaffinity(0))}\\n")

class Skipping:
    def setup(self): raise NotImplementedError
    def time_it(self): pass

class Parameters:
    params = (("a", "b"), (1, 2))
    param_names = ("letter", "number")
    skip_params = [("b", 2)]
    def time_it(self, letter, number):
        assert (letter, number) == ("b", 1)

class Emptied:
    def setup(self):
        self.full = [1]
    def time_pop(self):
        self.full.pop()

class Cached:
    def setup_cache(self):
        with open(os.environ["TOLD"], "a") as told: told.write("made\\n")
        with open("beside", "w") as file: file.write("x")
        return [1]
    def time_it(self, cache):
        assert cache == [1] and open("beside").read() == "x"

class Once:
    number = 1
    def time_it(self): pass

def track_it(): return 1
def peakmem_it(): pass
def timeraw_it(): return "pass"
"""


def order(name: str, index: int | None = None, *, number: int = 0, timeout: float = 60) -> Order:
    return Order(Place(f"toys.{name}", index), timeout, number)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told"


def test_a_cell_that_fails_in_whatever_way_costs_no_other_its_time(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, SUITE), arm(tmp_path, "arm", "")
    names = ["raises", "exits", "dies", "is_killed", "hangs", "skips", "fine"]

    timed = measure(shop, toy, [order(f"time_{name}", timeout=2) for name in names])

    *bad, fine = timed.answers
    assert [one.failed or one.skipped for one in bad] == [
        "ValueError: no way",
        "SystemExit: 3",
        "its process ended with exit code 3",
        "its process was ended by SIGKILL",
        "took more than 2 s",
        "not today",
    ]
    assert bad[-1].skipped
    assert fine.seconds > 0
    # Three cells ended the process they ran in.
    assert len(set(timed.pids)) == len(timed.pids) == 4


def test_benchmarks_are_set_up_as_asv_does(tmp_path: Path, told: Path) -> None:
    shop = workshop(tmp_path, SUITE)
    toy = arm(tmp_path, "arm", "", {"TOLD": str(told)})
    orders = [
        order("Skipping.time_it"),
        order("Parameters.time_it", 2),
        order("Parameters.time_it", 3),
        order("Parameters.time_it", 0),
        order("Emptied.time_pop"),
        order("Cached.time_it"),
        order("Once.time_it"),
    ]

    answers = [measure(shop, toy, orders).answers for _ in range(2)][1]

    skipping, second, forbidden, first, emptied, cached, once = answers
    assert skipping.skipped
    assert second.fine
    assert forbidden.skipped
    assert first.failed == "AssertionError"
    # Every call found a list that setup had filled.
    assert emptied.fine
    assert emptied.number > 1
    # Computed once per arm, not once per process.
    assert cached.fine
    assert told.read_text() == "made\n"
    assert (once.fine, once.number) == (True, 1)


def test_a_given_number_of_calls_is_kept_and_else_lasts_long_enough(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, SUITE), arm(tmp_path, "arm", "")

    given, found = measure(shop, toy, [order("time_fine", number=7), order("time_fine")]).answers

    assert given.number == 7
    # A thousandth of a second of calls that last less than a microsecond even on slow machines
    # that do something else in between; 100 allows for ten microseconds.
    assert found.number >= 100


def test_every_process_is_a_fresh_one_pinned_to_one_cpu(tmp_path: Path, told: Path) -> None:
    shop = workshop(tmp_path, SUITE)
    toy = arm(tmp_path, "arm", "", {"TOLD": str(told)})

    pids = [
        pid for _ in range(3) for pid in measure(shop, toy, [order("time_tells", number=1)]).pids
    ]

    lines = told.read_text().splitlines()
    assert {int(line.split(maxsplit=1)[0]) for line in lines} == set(pids)
    assert len(set(pids)) == 3
    last = sorted(os.sched_getaffinity(0))[-1:]
    assert {line.split(maxsplit=1)[1] for line in lines} == {str(last)}


def test_only_functions_that_are_timed_in_their_process_are_comparable(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, SUITE), arm(tmp_path, "arm", "")

    found = {one["name"]: one for one in discover(shop, toy)}

    others = {name for name, one in found.items() if not one["comparable"]}
    assert others == {"toys.track_it", "toys.peakmem_it", "toys.timeraw_it"}
    assert found["toys.Parameters.time_it"]["params"] == [["'a'", "'b'"], ["1", "2"]]


def test_a_suite_that_can_not_be_imported_is_one_line(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, "import no_such_module"), arm(tmp_path, "arm", "")

    with pytest.raises(MeasureFailed, match=r"arm can't list .*No module named 'no_such_module'"):
        discover(shop, toy)


def test_an_arm_whose_package_is_shadowed_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "toy.py").write_text("")
    suite = f"import sys\nsys.path.insert(0, {str(elsewhere)!r})\nimport toy\ndef time_it(): pass"
    shop, toy = workshop(tmp_path, suite), arm(tmp_path, "arm", "")

    with pytest.raises(MeasureFailed, match=r"arm did not use its own package but toy from .*els"):
        measure(shop, toy, [order("time_it")])


def test_modules_beside_the_worker_shadow_nothing(tmp_path: Path) -> None:
    # The worker lies beside `arms.py`, which an arm's package may be called as well.
    suite = "import arms\ndef time_it(): assert arms.MINE"
    shop, toy = workshop(tmp_path, suite), arm(tmp_path, "arm", "")
    (toy.path[0] / "arms.py").write_text("MINE = True")

    assert measure(shop, toy, [order("time_it")]).answers[0].fine


ODD_CLOCKS = """
from decimal import Decimal
from itertools import cycle
from time import perf_counter_ns
class Endless:
    timer = cycle((0.0, float("inf"))).__next__
    def time_it(self): pass
class Exact:
    timer = staticmethod(lambda: Decimal(perf_counter_ns()))
    def time_it(self): pass
"""


def test_a_timer_may_give_any_number_that_is_a_time(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, ODD_CLOCKS), arm(tmp_path, "arm", "")
    orders = [order("Endless.time_it", number=1), order("Exact.time_it", number=1)]

    timed = measure(shop, toy, orders)

    endless, exact = timed.answers
    assert endless.failed == "ValueError: a sample lasts inf s by its timer, which is no time"
    assert exact.seconds > 0
    assert len(timed.pids) == 1


FORKING = """
import os
class Fork:
    number = 1
    def time_it(self): os.fork()
def time_fine(): pass
"""


def test_the_child_of_a_benchmark_that_forks_answers_nothing(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, FORKING), arm(tmp_path, "arm", "")
    orders = [order("Fork.time_it"), *[order("time_fine", number=n) for n in range(2, 8)]]

    answers = measure(shop, toy, orders).answers

    # Were a child to answer as well, later cells would be given the times of earlier ones.
    assert [one.number for one in answers] == list(range(1, 8))


def test_seconds_that_a_dying_cell_took_are_its_own(tmp_path: Path) -> None:
    shop, toy = workshop(tmp_path, SUITE), arm(tmp_path, "arm", "")

    timed = measure(shop, toy, [order("time_hangs", timeout=2), order("time_fine")])

    # What is left is said to be a block's start, which every other cell's cost has a share of.
    assert timed.answers[0].took == pytest.approx(2, abs=0.5)
    assert timed.starting < 2


def test_a_neighbour_of_the_worker_s_is_no_module_where_python_is_told_so(tmp_path: Path) -> None:
    # With PYTHONSAFEPATH the first place is not the script's folder but the arm's.
    suite = "import toy\ndef time_it(): assert toy.MINE"
    shop = workshop(tmp_path, suite)
    toy = arm(tmp_path, "arm", "MINE = True", {"PYTHONSAFEPATH": "1"})

    assert measure(shop, toy, [order("time_it")]).answers[0].fine


HANGING = """
import os, subprocess
def time_hangs():
    child = subprocess.Popen(["sleep", "600"])
    with open(os.environ["TOLD"], "w") as told: told.write(f"{os.getpid()} {child.pid} ")
    child.wait()
"""

INTERRUPTED = """
import json, signal, sys
from pathlib import Path
# Whatever started the tests may have told them to pass interruptions over, as a shell's & does.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from toy_arms import arm, workshop
from convbench.comparison.arms import Cell, Place
from convbench.comparison.blocks import measure_blocks
folder, told = Path(sys.argv[2]), sys.argv[3]
shop = workshop(folder, json.loads(sys.argv[4]))
arms = tuple(arm(folder, name, "", {"TOLD": told}) for name in ("a", "b"))
place = Place("toys.time_hangs")
measure_blocks(shop, arms, [Cell("hangs", (place, place))], 1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end the worker")
def test_a_killed_measurement_leaves_no_worker(tmp_path: Path, told: Path) -> None:
    words = [str(Path(__file__).parent), str(tmp_path), str(told), json.dumps(HANGING)]
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED, *words])
    worker, child = hanging(process, told)

    process.kill()
    process.wait()

    deadline = time.monotonic() + 10
    while running(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)  # nobody was left to end what the benchmark started


def test_an_interrupted_measurement_leaves_no_process(tmp_path: Path, told: Path) -> None:
    words = [str(Path(__file__).parent), str(tmp_path), str(told), json.dumps(HANGING)]
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED, *words], stderr=subprocess.PIPE)
    pids = hanging(process, told)

    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)

    assert b"KeyboardInterrupt" in error
    assert [pid for pid in pids if running(pid)] == []


def hanging(process: subprocess.Popen[bytes], told: Path) -> list[int]:
    """Wait until the benchmark hangs; gives the ids of the worker and of what it started."""
    deadline = time.monotonic() + 60
    while not (told.exists() and told.read_text().endswith(" ")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    return [int(word) for word in told.read_text().split()]


def running(pid: int) -> bool:
    """Tell whether a process runs; a zombie that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_answer_has_a_time_or_a_reason() -> None:
    assert Answer(seconds=1.0).fine
    assert not Answer(failed="no").fine
    assert not Answer(skipped="no").fine
