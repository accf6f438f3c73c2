"""The ledger: every delivery by content hash, the lake files that came of it, and what is in force.

What belongs here: remembering and answering. What does not: accepting files (`ingestion`).
"""

from warehouse.ledger.copying import copy_ledger
from warehouse.ledger.migrate import LedgerError
from warehouse.ledger.store import Ledger
from warehouse.ledger.tables import Delivery, DeliveryEvent, HeldRule, Hold, LakeFile

__all__ = [
    "Delivery",
    "DeliveryEvent",
    "HeldRule",
    "Hold",
    "LakeFile",
    "Ledger",
    "LedgerError",
    "copy_ledger",
]
