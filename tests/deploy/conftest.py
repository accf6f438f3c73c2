"""The PostgreSQL server that the tests of publishing start, for production's."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FILE = Path(__file__).parents[1] / "warehouse" / "publish" / "conftest.py"
_spec = importlib.util.spec_from_file_location("publish_fixtures_of_deploy", _FILE)
assert _spec is not None and _spec.loader is not None
_publish = importlib.util.module_from_spec(_spec)
sys.modules["publish_fixtures_of_deploy"] = _publish
_spec.loader.exec_module(_publish)

server = _publish.server
