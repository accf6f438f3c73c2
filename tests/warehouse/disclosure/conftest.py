"""Small sets of tables, written as files, protected and attacked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warehouse.disclosure.describe import Description
from warehouse.disclosure.policy import DisclosurePolicy
from warehouse.disclosure.run import Audit, Protected, audit_files, protect_files

Protect = Callable[..., Protected]
Attack = Callable[..., Audit]
POLICY = DisclosurePolicy(singletons=False)  # type: ignore[call-arg]


def _write(folder: Path, tables: dict[str, str]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = []
    for name, text in tables.items():
        file = folder / name
        file.write_text(
            "\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8"
        )
        files.append(file)
    return files


@pytest.fixture
def audit(tmp_path: Path) -> Attack:
    """Attack tables given as text."""

    def run(tables: dict[str, str], about: dict[str, Any], policy: DisclosurePolicy = POLICY) -> Audit:
        return audit_files(_write(tmp_path / "public", tables), Description.model_validate(about), policy)

    return run


@pytest.fixture
def protect(tmp_path: Path) -> Protect:
    """Protect tables given as text."""

    def run(
        tables: dict[str, str], about: dict[str, Any], policy: DisclosurePolicy = POLICY, **options: Any
    ) -> Protected:
        files = _write(tmp_path / "true", tables)
        return protect_files(files, Description.model_validate(about), policy, **options)

    return run
