"""The cluster that the tests on Spark share; without the environment of `make spark` none of them runs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.spark.cluster import Cluster, standalone

collect_ignore_glob = [] if find_spec("py4j") else ["test_*.py"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One master and two workers, ended after the last test."""
    with standalone(tmp_path_factory.mktemp("spark")) as started:
        yield started
