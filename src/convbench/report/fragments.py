"""Views whose content depends on choices: the first variant stands in the document.

Each variant is also HTML in a file, loaded when it is chosen: so the document stays small, however
many machines, builds and data types there are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import jinja2
from markupsafe import Markup

from convbench.report.data_files import LINE_ENDS, script


@dataclass(frozen=True, slots=True)
class VariantView:
    """How the variants of a view are told apart, and the templates of its parts.

    `keys` are the choices in the address with the attribute of a variant that each compares; the
    first `in_file` of them say which variants share a file.
    """

    keys: Mapping[str, str]
    templates: tuple[str, ...]
    in_file: int = 3

    def values(self, variant: object) -> list[str]:
        """Give the choices that show a variant."""
        return [str(attrgetter(name)(variant)) for name in self.keys.values()]


_PLACE = {"machine": "machine", "blas": "line", "dtype": "dtype"}

VARIANT_VIEWS: Mapping[str, VariantView] = {
    "matrix": VariantView(_PLACE, ("matrix_variant", "matrix_more")),
    "why": VariantView(_PLACE, ("why_head", "why_variant")),
    # A picture is large, and there are hundreds: each has its own file.
    "roofline": VariantView(
        {"by": "by", **_PLACE, "strategy": "strategy", "problem": "problem"},
        ("roofline_head", "roofline_variant"),
        in_file=6,
    ),
    "blas": VariantView(
        {"machine": "machine", "threads": "threads", "dtype": "dtype", "base": "baseline"},
        ("blas_head", "blas_variant"),
    ),
    "machines": VariantView(_PLACE, ("machines_head", "machines_variant"), in_file=2),
}
"""By the view's address; a part's template reads the variant as `one`."""


def section_attributes(view: str, variants: Sequence[object]) -> Markup:
    """Write what a script needs to choose: the names of the choices, and those of the first."""
    described = VARIANT_VIEWS[view]
    if not variants:
        return Markup("")
    first = json.dumps(described.values(variants[0]), ensure_ascii=False)
    return Markup(' data-keys="{}" data-first="{}"').format(" ".join(described.keys), first)


def fragment_files(
    variants: Mapping[str, Sequence[object]],
    environment: jinja2.Environment,
    clean: Callable[[str], str],
    **context: Any,
) -> dict[str, str]:
    """Make the files of all views that have more than one variant, by their path in the site.

    ``data/v/<view>.js`` lists the choices of each variant, its file and its place there;
    ``data/v/<view>/<n>.js`` holds the HTML of the parts of each. `clean` is applied to all HTML.
    """
    files = {}
    for view, ones in variants.items():
        if len(ones) < 2:
            continue
        described = VARIANT_VIEWS[view]
        templates = [environment.get_template(f"{name}.html.j2") for name in described.templates]
        groups: dict[tuple[str, ...], list[list[str]]] = {}
        listed: list[list[object]] = []
        for index, one in enumerate(ones):
            values = described.values(one)
            group = groups.setdefault(tuple(values[: described.in_file]), [])
            number = list(groups).index(tuple(values[: described.in_file]))
            listed.append([values, number, len(group)])
            # `index`: the variant's place among all, where a part's data lies elsewhere.
            parts = (part.render(one=one, index=index, **context) for part in templates)
            group.append([clean(part) for part in parts])
        files[f"data/v/{view}.js"] = script(f"v/{view}", listed)
        for number, group in enumerate(groups.values()):
            name = f"v/{view}/{number}"
            # HTML whose names are escaped already; to escape its tags would double the bytes.
            files[f"data/{name}.js"] = script(name, group, LINE_ENDS)
    return files
