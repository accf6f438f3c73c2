"""Requests of one person: to see what is held, to have it corrected, to have it removed.

What belongs here: finding and changing one person's records everywhere. What does not: a partner's whole data
(`warehouse.agreements`).
"""

from warehouse.subjects.correct import CORRECTABLE, correct_subject
from warehouse.subjects.export import export_subject
from warehouse.subjects.find import Subject, SubjectNotFoundError
from warehouse.subjects.remove import remove_subject

__all__ = [
    "CORRECTABLE",
    "Subject",
    "SubjectNotFoundError",
    "correct_subject",
    "export_subject",
    "remove_subject",
]
