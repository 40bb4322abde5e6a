import base64
import functools
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sample_store import (
    FORTY_STRATEGIES,
    REFUSED,
    STRATEGIES,
    Store,
    convolution_store,
    event,
    foreign_store,
    found_change,
    strange_store,
    trusted_store,
    versions_store,
)

from convbench.report.data_files import script
from convbench.report.scripts import ASSETS
from convbench.report.site import installed_bundle, site_files, write_site

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "__proto__",
    "constructor",
    "line\u2028separator",
    "%{x} %{customdata}",
    "javascript:alert(3)",
    '"><svg onload=alert(4)>',
    "{{ 7 * 7 }}",
    "a'b&amp;c",
]


class Elements(HTMLParser):
    """Collects elements, their attributes and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_store() -> Store:
    """Name everything that data can name after something harmful."""
    store = convolution_store(3, subjects=HOSTILE[:3])
    names = dict(zip(STRATEGIES, HOSTILE, strict=True))
    for made in store.rows:
        if made["strategy"]:
            made["strategy"] = names[made["strategy"]]
            made["params"] = {**made["params"], "strategy": made["strategy"]}
        made["machine"] = "<b>machine</b>"
    for table in ("environments", "runs", "machines"):
        for made in store.tables[table]:
            made["machine"] = "<b>machine</b>"
    for cell in store.tables["cells"]:
        cell["strategy"] = names[cell["strategy"]]
        cell["unsupported"] = cell["unsupported"] and "</script><i>reason</i>"
    return store


STORES = {
    "three commits": lambda: convolution_store(3),
    "one commit": lambda: convolution_store(1),
    "forty strategies": lambda: convolution_store(8, strategies=FORTY_STRATEGIES),
    "trusted": trusted_store,
    "versions": versions_store,
    "foreign": foreign_store,
    "strange intervals": strange_store,
    "empty": Store,
    "hostile": hostile_store,
    "only values": lambda: Store(rows=convolution_store(2).rows),
}


@pytest.fixture(params=STORES)
def files(request: pytest.FixtureRequest) -> dict[str, str]:
    return files_of(request.param)


@functools.cache
def files_of(name: str) -> dict[str, str]:
    return site_files(STORES[name]().measurements())


@pytest.mark.parametrize("name", STORES)
def test_same_inputs_give_the_same_bytes(name: str) -> None:
    assert site_files(STORES[name]().measurements()) == files_of(name)


def test_nothing_is_loaded_from_elsewhere(files: dict[str, str]) -> None:
    for _, attributes in Elements(files["index.html"]).elements:
        for name in ("src", "href"):
            assert not re.match(r"(?i)\s*(https?:|//|javascript:)", attributes.get(name) or "")


def test_there_is_no_handler_and_one_inline_script_the_one_that_the_policy_names(
    files: dict[str, str],
) -> None:
    document = Elements(files["index.html"])
    scripts = [attributes for tag, attributes in document.elements if tag == "script"]
    [early] = re.findall(r"<script>(.*?)</script>", files["index.html"], re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(early.encode()).digest()).decode()

    for _, attributes in document.elements:
        assert not [name for name in attributes if name.startswith("on")]
    assert [one.get("src") for one in scripts] == [None, "assets/app.js"]
    assert early == (ASSETS / "early.js").read_text()
    assert files["index.html"].count(f"'sha256-{digest}'") == 1


def test_the_policy_forbids_everything_else(files: dict[str, str]) -> None:
    policy = next(
        attributes["content"]
        for tag, attributes in Elements(files["index.html"]).elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )

    assert policy is not None
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_every_link_within_the_site_leads_to_a_view(files: dict[str, str]) -> None:
    document = Elements(files["index.html"])
    views = {attributes.get("data-view") for _, attributes in document.elements} - {None}

    for tag, attributes in document.elements:
        href = attributes.get("href") or ""
        if tag == "a" and href.startswith("#/"):
            assert href[2:].split("?")[0] in views


def test_data_files_are_one_call_each(files: dict[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".js"):
            name = path.removeprefix("data/").removesuffix(".js")
            body = re.fullmatch(r'CB\.put\("([^"]+)",(.*)\);\n', text, re.DOTALL)
            assert body is not None
            assert body[1] == name
            assert json.loads(body[2]) is not None


def test_hostile_names_show_literally() -> None:
    files = files_of("hostile")
    document = Elements(files["index.html"])

    assert not [tag for tag, _ in document.elements if tag in ("img", "object", "iframe")]
    assert not [1 for tag, a in document.elements if tag == "svg" and "onload" in a]
    for name in HOSTILE:
        assert name in document.text


CONTROL = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))


def test_control_characters_of_names_are_replaced_in_the_document() -> None:
    store = convolution_store(8, subjects=[f"subject{CONTROL}of a commit"])
    for made in store.rows:
        made["machine"] = f"machine{CONTROL}of the rows"
        made["benchmark"] = made["benchmark"].replace("time_", f"time_\x1b[2J{CONTROL}")
        made["params"] = {**made["params"], f"axis{CONTROL}": f"value{CONTROL}of an axis"}
    params = (
        f"strategy=fft, problem=question, dtype=float32, axis{CONTROL}=value{CONTROL}of an axis"
    )
    change = found_change(4, before=1e-5, after=2e-5, params=params, strategy=f"fft{CONTROL}")
    store.tables["changes"] = [change]
    said = {"evidence": f"evidence{CONTROL}of an event", "triage_reason": "\0"}
    store.tables["events"] = event("3f2a9c1b04", change, **said)

    document = site_files(store.measurements())["index.html"]

    assert set(CONTROL) & set(document) == set("\t\n") & set(document)
    replaced = "".join(one if one in "\t\n" else "\ufffd" for one in CONTROL)
    for words in ("machine|of the rows", "value|of an axis", "evidence|of an event"):
        assert words.replace("|", replaced) in document


def test_no_name_can_end_a_script_or_a_line() -> None:
    text = script("x", HOSTILE)

    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text[len('CB.put("x",') : -len(");\n")]) == HOSTILE


def test_what_was_always_skipped_is_marked_for_the_menus() -> None:
    text = files_of("three commits")["data/meta.js"]
    meta = json.loads(text[len('CB.put("meta",') : -len(");\n")])
    names = [name for name, _, _ in meta["parameters"]]

    skipped = {
        (values[names.index("strategy")], values[names.index("problem")])
        for _, _, _, values, *mark in meta["series"]
        if mark
    }

    assert skipped == set(REFUSED)


def test_commits_link_to_their_host_only_when_asked() -> None:
    measurements = convolution_store(2).measurements()

    plain = site_files(measurements)["index.html"]
    linked = site_files(measurements, "https://example.org/repo")["index.html"]

    assert "example.org" not in plain
    assert "https://example.org/repo/commit/000000a2" in linked


def test_the_first_page_and_the_data_are_small(files: dict[str, str]) -> None:
    assert len(gzip.compress(files["index.html"].encode())) < 60_000
    data = [text.encode() for path, text in files.items() if path != "index.html"]
    assert sum(len(gzip.compress(one)) for one in data) < 1_000_000
    assert sum(map(len, data)) < 5_000_000 - installed_bundle().stat().st_size // 5


def test_the_overview_is_readable_without_scripts() -> None:
    document = Elements(files_of("three commits")["index.html"])

    for words in ("fastest on", "3 of 6 commits: no verdict yet", "Who wins where", "✓ proven"):
        assert words in document.text


def test_a_site_is_written_whole_and_unchanged_files_keep_their_time(tmp_path: Path) -> None:
    measurements = convolution_store(2).measurements()
    index = write_site(measurements, tmp_path / "site")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.js")}
    built = index.stat().st_mtime_ns

    write_site(measurements, tmp_path / "site")

    # A workflow tells by the index that the site is newer than the store.
    assert index.stat().st_mtime_ns > built
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (tmp_path / "site/plotly.min.js").read_bytes() == installed_bundle().read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_files_of_an_older_site_are_gone(tmp_path: Path) -> None:
    write_site(convolution_store(1).measurements(), tmp_path / "site")

    write_site(foreign_store().measurements(), tmp_path / "site")

    assert not (tmp_path / "site/data/why.js").exists()


def test_a_smaller_bundle_can_be_given(tmp_path: Path) -> None:
    bundle = tmp_path / "basic.js"
    bundle.write_text("/* basic */")

    write_site(Store().measurements(), tmp_path / "site", plotly_bundle=bundle)

    assert (tmp_path / "site/plotly.min.js").read_text() == "/* basic */"


def test_each_line_has_its_own_verdict() -> None:
    store = convolution_store(8)
    params = "strategy=im2col, problem=question, dtype=float32"
    store.tables["changes"] = [found_change(4, before=1e-5, after=2e-5, params=params)]

    text = Elements(site_files(store.measurements())["index.html"]).text

    assert "1 regression in 8 commits" in text
    assert "no change found in 8 commits" in text  # of the other build
