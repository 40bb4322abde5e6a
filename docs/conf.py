"""Configuration of the documentation site: `make docs` builds it into docs/_build/html."""

import os
import sys
from pathlib import Path

import convbench

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "convbench"
version = release = convbench.__version__
copyright = "the convbench authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_copybutton"]
extensions += ["accessible", "checkout", "generated"]  # docs/_ext
exclude_patterns = ["_build"]
# Headings are link targets under the names that GitHub gives them.
myst_heading_anchors = 3
smartquotes = False  # options begin with two hyphens
default_role = "code"  # in docstrings
# Indented blocks are commands, what they print, and files: no one language.
highlight_language = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say types, in words
numpydoc_show_class_members = False  # autodoc lists them
nitpicky = True

html_theme = "furo"
html_title = "convbench"
html_baseurl = os.environ.get("DOCS_URL", "")  # for canonical links; no address is known here
html_logo = "../src/convbench/report/assets/icon.svg"
html_favicon = html_logo
html_css_files = ["site.css"]
html_static_path = ["_static"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # fetched page by page, which browsers refuse from disk
pygments_style = "xcode"
pygments_dark_style = "github-dark"

# `make docs-links`: addresses that exist only where somebody runs something, or in examples.
linkcheck_ignore = [
    r"https?://(127\.0\.0\.1|localhost|HOST|BUCKET)\b.*",
    r"https://example\.org/.*",
]
linkcheck_anchors = False  # pages drawn by scripts have none to find
linkcheck_timeout = 20
