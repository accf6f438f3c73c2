"""Onboarding: from an unseen export to a mapping in minutes.

What belongs here: recognising ready-made standards, profiling, proposing, writing. What does not: taking the file
(`acceptance`).
"""

from ingestion.onboarding.footprint import packed
from ingestion.onboarding.needs import Verdict, verdicts_of_columns, verdicts_of_rows
from ingestion.onboarding.partner import is_partner_id, near_partner_id, partner_text
from ingestion.onboarding.profile import ColumnProfile, profile_columns
from ingestion.onboarding.propose import CERTAIN, ColumnGuess, Proposal, propose
from ingestion.onboarding.recognise import Fit, Recognition, ready_made, recognise
from ingestion.onboarding.trial import Trial, try_mapping
from ingestion.onboarding.write import mapping_text, standard_text

__all__ = [
    "CERTAIN",
    "ColumnGuess",
    "ColumnProfile",
    "Fit",
    "Proposal",
    "Recognition",
    "Trial",
    "Verdict",
    "is_partner_id",
    "mapping_text",
    "near_partner_id",
    "packed",
    "partner_text",
    "profile_columns",
    "propose",
    "ready_made",
    "recognise",
    "standard_text",
    "try_mapping",
    "verdicts_of_columns",
    "verdicts_of_rows",
]
