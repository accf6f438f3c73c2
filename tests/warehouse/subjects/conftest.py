"""The same two partners as for agreements, with persons in common."""

from tests.ingestion.conftest import town
from tests.warehouse.agreements.conftest import pair

__all__ = ["pair", "town"]
