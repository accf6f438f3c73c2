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

# No first name on one side at least, and the same birth date: enough beside a shared id.
UNNAMED_SQL = "((l.first_flat is null or r.first_flat is null) and coalesce(l.dob = r.dob, false))"

_FORMS_NEAR = (
    "list_bool_or(flatten([[jaro_winkler_similarity(a, b) >= 0.9 and least(length(a), length(b)) >= 3 "
    "or (least(length(a), length(b)) >= 4 and damerau_levenshtein(a, b) <= 1) "
    "for b in r.first_set] for a in l.first_set]))"
)
_CROSSED = (
    "(l.first_flat = r.last_flat or r.first_flat = l.last_flat "
    "or jaro_winkler_similarity(l.first_flat, r.last_flat) >= 0.93 "
    "or jaro_winkler_similarity(r.first_flat, l.last_flat) >= 0.93)"
)
_NEAR = (
    "(jaro_winkler_similarity(l.first_flat, r.first_flat) >= 0.85 "
    "or (least(length(l.first_flat), length(r.first_flat)) >= 6 and damerau_levenshtein(l.first_flat, r.first_flat) <= 2) "
    "or (least(length(l.first_flat), length(r.first_flat)) >= 2 "
    "and damerau_levenshtein(l.first_flat, r.first_flat) <= 1) "
    "or (least(length(l.first_flat), length(r.first_flat)) >= 3 "
    "and (starts_with(l.first_flat, r.first_flat) or starts_with(r.first_flat, l.first_flat))))"
)
_MIDDLE_AS_FIRST = "(l.first_flat = r.middle_flat or r.first_flat = l.middle_flat)"
_MIDDLE_DIFFERS = "l.middle_initial <> r.middle_initial"

# A second, slower look at pairs that score high and failed the guard. Names alike need a middle name that agrees,
# or none to compare; a middle name that differs is what co-twins show.
SECOND_LOOK_SQL = (
    f"coalesce({_SEX_AGREES} and (({_CROSSED} and l.dob = r.dob and coalesce(not {_MIDDLE_DIFFERS}, true)) or {_MIDDLE_AS_FIRST} "
    f"or (({_NEAR} or {_FORMS_NEAR}) and coalesce(not {_MIDDLE_DIFFERS}, true))), false)"
)
