"""The first-name guard: whether two first names agree in some way.

What belongs here: that one condition as SQL. What does not: scores and thresholds. Household, surname and
birth date are shared by siblings and co-twins; only the first name tells them apart, so nothing may outvote it.
"""

from __future__ import annotations

# Two letters transposed or one changed still is the same name in names of four letters and more.
_TYPO = (
    "(least(length(l.first_flat), length(r.first_flat)) >= 4 "
    "and damerau_levenshtein(l.first_flat, r.first_flat) <= 1)"
)
_SEX_AGREES = "(l.sex is null or r.sex is null or l.sex = r.sex)"

SWAPPED_SQL = "(l.first_flat = r.last_flat and l.last_flat = r.first_flat)"
FIRST_NAME_GUARD_SQL = (
    "coalesce("
    "l.first_flat = r.first_flat "
    f"or {SWAPPED_SQL} "
    f"or ({_SEX_AGREES} and (list_has_any(l.first_set, r.first_set) or {_TYPO} "
    "or jaro_winkler_similarity(l.first_flat, r.first_flat) >= 0.9 "
    "or (length(l.first_flat) = 1 and starts_with(r.first_flat, l.first_flat)) "
    "or (length(r.first_flat) = 1 and starts_with(l.first_flat, r.first_flat)))), false)"
)
