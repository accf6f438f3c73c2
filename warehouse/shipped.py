"""YAML that ships with the code: read at every start, so by the compiled parser, a tenth of the time of the one in Python.

What belongs here: reading it. What does not: files of a community (`community`), whose errors name lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def shipped_yaml(file: Path) -> Any:
    """What a file holds.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(file.read_bytes(), Loader=_LOADER)  # noqa: S506 - either loader is a safe one
