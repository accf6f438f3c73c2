"""Linkage against known truth: any two files, or one, with a list of the records that are one person.

What belongs here: reading them, linking as shipped, counting errors by kind. What does not: a community's vault.
Everything stays in memory (spills are encrypted); results carry counts only.
"""

from warehouse.linkage.evaluation.mapping import (
    EvaluationInputError,
    EvaluationMapping,
    guess_mapping,
    read_mapping,
)
from warehouse.linkage.evaluation.measure import Evaluation, evaluate

__all__ = [
    "Evaluation",
    "EvaluationInputError",
    "EvaluationMapping",
    "evaluate",
    "guess_mapping",
    "read_mapping",
]
