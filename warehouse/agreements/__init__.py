"""Data-sharing agreements: how they stand, what they put out of force, and the destruction of what was held under them.

What belongs here: enforcement on what is already stored. What does not: barring new files (`ingestion.acceptance`).
"""

from warehouse.agreements.certificate import Certificate, destroyed_under, read_certificates
from warehouse.agreements.destroy import DestructionError, destroy_partner
from warehouse.agreements.standing import AgreementStanding, agreement_standings, withdraw_overdue

__all__ = [
    "AgreementStanding",
    "Certificate",
    "DestructionError",
    "agreement_standings",
    "destroy_partner",
    "destroyed_under",
    "read_certificates",
    "withdraw_overdue",
]
