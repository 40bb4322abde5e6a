"""No two elements of the document have the same id: a script would take one for the other."""

from collections import Counter

import pytest
from sample_store import FORTY_STRATEGIES, Store, convolution_store, foreign_store, trusted_store
from test_site import Elements

from convbench.report.site import site_files

STORES = {
    "ours": convolution_store(3),
    "more values than are drawn": convolution_store(2, strategies=FORTY_STRATEGIES),
    "trusted": trusted_store(),
    "another project": foreign_store(),
}


@pytest.mark.parametrize("name", STORES)
def test_ids_are_unique(name: str) -> None:
    store: Store = STORES[name]
    elements = Elements(site_files(store.measurements())["index.html"])

    ids = Counter(attributes["id"] for _, attributes in elements.elements if "id" in attributes)
    assert [one for one, times in ids.items() if times > 1] == []
    assert len(ids) > 20
