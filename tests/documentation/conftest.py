import sys
from collections.abc import Iterator
from typing import Any

import pytest
from documentation_build import Built, build
from markdown_blocks import DOCS, ROOT

sys.path.insert(0, str(ROOT / "tests/report"))
from chromium import CHROMIUM, FLAGS


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the documentation once."""
    pytest.importorskip("furo", reason="the theme of the documentation is not installed")
    return build(DOCS, tmp_path_factory.mktemp("documentation") / "html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start one browser for the tests of a file."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()
