"""What a site has beside its pages, and what reports/README.md says of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sample_store import Store
from test_feed import eventful_store, offers_of
from test_site import STORES

from convbench.report.site import site_files

DOCUMENT = Path(__file__).parents[2] / "reports/README.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*STORES, "eventful"])
def test_same_inputs_give_the_same_bytes(name: str) -> None:
    make = eventful_store if name == "eventful" else STORES[name]

    assert offers_of(make().measurements()) == offers_of(make().measurements())


def test_the_site_has_them() -> None:
    measurements = eventful_store().measurements()

    offers = offers_of(measurements, "https://a.b/c", "Ours")

    assert offers.items() <= site_files(measurements, "https://a.b/c", "Ours").items()


def test_without_a_title_or_a_project_they_have_a_name() -> None:
    files = site_files(Store().measurements(project=""))

    assert json.loads(files["summary.json"])["title"] == "convbench"


def test_the_files_that_the_document_names_are_there_and_no_others() -> None:
    named = set(re.findall(r"^\| `([\w./*]+)` \| [\w, ]+:", TEXT, re.MULTILINE))
    there = set(offers_of(eventful_store().measurements())) - {"badges/index.json"}

    patterns = {"badges/*.svg"}
    badges = {path for path in there if path.startswith("badges/")} - {"badges/all.svg"}
    assert named - patterns == there - badges
    assert patterns < named
    assert "`badges/index.json`" in TEXT


def test_no_name_begins_with_what_hosts_leave_out() -> None:
    for path in site_files(eventful_store().measurements()):
        assert not re.search(r"(^|/)[._]", path)


def test_the_question_for_ci_is_answered(tmp_path: Path) -> None:
    (line,) = re.findall(r"python3 -c '(.*)'", TEXT)
    folder = tmp_path / "reports/site"
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(offers_of(eventful_store().measurements())["summary.json"])

    answer = subprocess.run(
        [sys.executable, "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert answer.stdout == "1\n"
