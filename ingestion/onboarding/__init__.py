"""Onboarding: from an unseen export to a proposed mapping in minutes.

What belongs here: profiling, proposing, writing. What does not: acceptance of the file.
"""

from ingestion.onboarding.profile import ColumnProfile, profile_columns
from ingestion.onboarding.propose import CERTAIN, ColumnGuess, Proposal, indicators_fed, propose
from ingestion.onboarding.write import mapping_text

__all__ = [
    "CERTAIN",
    "ColumnGuess",
    "ColumnProfile",
    "Proposal",
    "indicators_fed",
    "mapping_text",
    "profile_columns",
    "propose",
]
