"""Files in: landing, readers, contracts, acceptance, receipts and the sample community.

What belongs here: the way of a file from a drop folder to lake and vault. What does not: anything about Dagster,
dbt or Great Expectations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingestion.acceptance import DeliveryOutcome, check_file, mend_lake, receive_all

__all__ = ["DeliveryOutcome", "check_file", "mend_lake", "receive_all"]


def __getattr__(name: str) -> Any:
    # Acceptance brings DuckDB and the vault along; whoever only wants contracts need not wait for them.
    if name in __all__:
        from ingestion import acceptance

        return getattr(acceptance, name)
    raise AttributeError(name)
