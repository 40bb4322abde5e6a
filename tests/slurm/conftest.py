"""One SLURM cluster for all tests of this folder; a machine can have one only."""

from collections.abc import Iterator

import pytest
import slurm_cluster
from slurm_cluster import Cluster, ClusterError


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if reason := slurm_cluster.missing():
        pytest.skip(reason)
    started = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        started.start()
    except ClusterError as error:
        # Nothing is skipped quietly where a cluster could run.
        started.stop()
        pytest.fail(str(error))
    yield started
    started.stop()
