"""Where the browser is, and how the tests start it."""

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    # The browser's own errands, which a machine without internet answers with delays.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
    # Chromium's pipes are closed by the garbage collector after the last test.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
"""Marks of a file whose tests open pages."""
