"""The synthetic working database, and one release of it that tests only read."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from warehouse.release import ReleaseReport
from warehouse.settings import CommunityPaths


def load_synthetic() -> ModuleType:
    file = Path(__file__).with_name("synthetic.py")
    spec = importlib.util.spec_from_file_location("synthetic_marts", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthetic_marts"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return load_synthetic()


@pytest.fixture(scope="session")
def release(
    tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType
) -> tuple[CommunityPaths, ReleaseReport]:
    """A release that tests read and never change, made under the narrow umask of the services."""
    before = os.umask(0o077)
    try:
        made: tuple[CommunityPaths, ReleaseReport] = synthetic.new_release(tmp_path_factory.mktemp("release"))
    finally:
        os.umask(before)
    return made
