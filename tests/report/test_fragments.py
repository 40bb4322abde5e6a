"""Variants: the document holds the first of each view, and a file what any choice shows."""

import json
from collections.abc import Mapping

import pytest
from sample_store import convolution_store, trusted_store
from test_site import HOSTILE, Elements, hostile_store

from convbench.report.fragments import VARIANT_VIEWS, section_attributes
from convbench.report.pages import build_views
from convbench.report.series import build_series
from convbench.report.site import site_files

Files = Mapping[str, str]


@pytest.fixture(scope="module")
def files() -> Files:
    return site_files(trusted_store().measurements())


def put(files: Files, name: str) -> list[list[object]]:
    """Give what a data file hands to the page."""
    text = files[f"data/{name}.js"]
    return json.loads(text.removeprefix(f'CB.put("{name}",').removesuffix(");\n"))


def parts_of(files: Files, view: str) -> dict[tuple[str, ...], list[str]]:
    """Give the HTML of every variant by its choices, found as the page finds it."""
    listed = put(files, f"v/{view}")
    found = {tuple(keys): put(files, f"v/{view}/{number}")[at] for keys, number, at in listed}
    assert len(found) == len(listed)  # no two variants answer to the same choices
    return found


def of_many(files: Files) -> list[str]:
    return [view for view in VARIANT_VIEWS if f"data/v/{view}.js" in files]


def test_the_sample_has_views_of_many_variants(files: Files) -> None:
    assert {"matrix", "why", "roofline", "blas"} <= set(of_many(files))


def test_the_document_holds_the_first_variant_as_its_file_does(files: Files) -> None:
    for view in of_many(files):
        section = files["index.html"].split(f'data-view="{view}"')[1].split("</section>")[0]
        keys, number, at = put(files, f"v/{view}")[0]
        parts = put(files, f"v/{view}/{number}")[at]

        attributes = str(section_attributes(view, [])) or section
        assert f'data-keys="{" ".join(VARIANT_VIEWS[view].keys)}"' in attributes
        assert Elements(f"<section {section}").elements[0][1]["data-first"] == json.dumps(keys)
        assert section.count('class="variant"') == len(parts) == len(VARIANT_VIEWS[view].templates)
        shown = [part.strip() for part in section.split('<div class="variant">')[1:]]
        for part, here in zip(parts, shown, strict=True):
            assert here.startswith(part.strip())


def test_each_choice_has_content_of_its_own(files: Files) -> None:
    for view in of_many(files):
        found = parts_of(files, view)
        assert len({"".join(parts) for parts in found.values()}) == len(found) > 1


def test_variants_that_differ_in_further_choices_alone_share_a_file(files: Files) -> None:
    for view in of_many(files):
        by_file: dict[int, set[tuple[str, ...]]] = {}
        for keys, number, _ in put(files, f"v/{view}"):
            by_file.setdefault(number, set()).add(tuple(keys[: VARIANT_VIEWS[view].in_file]))
        assert {len(places) for places in by_file.values()} == {1}
        assert len(set.union(*by_file.values())) == len(by_file)


def test_one_variant_needs_no_file() -> None:
    store = convolution_store(1)
    store.rows = [row for row in store.rows if (row["blas"], row["dtype"]) == ("mkl", "float32")]
    files = site_files(store.measurements())

    assert build_views(store.measurements(), build_series(store.measurements())).matrices
    assert not [path for path in files if path.startswith("data/v/matrix")]


def test_hostile_names_are_text_in_every_variant() -> None:
    files = site_files(hostile_store().measurements())
    text = ""
    for view in of_many(files):
        for parts in parts_of(files, view).values():
            page = Elements("".join(parts))
            text += page.text
            tags = {tag for tag, _ in page.elements}
            assert not tags & {"script", "img", "iframe", "object", "embed", "style", "b\u2028"}
            for _, attributes in page.elements:
                assert not [name for name in attributes if name.startswith("on")]
                link = attributes.get("href") or "#/"
                assert link.startswith("#/")
    assert HOSTILE[0] in text
