"""The ledger: every delivery by content hash, the lake files that came of it, runs, and what is in force.

What belongs here: remembering and answering. What does not: accepting files (`ingestion`).
"""

from warehouse.ledger.store import Delivery, LakeFile, Ledger

__all__ = ["Delivery", "LakeFile", "Ledger"]
