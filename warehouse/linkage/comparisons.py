"""How two records are compared: the comparisons, their levels, and shipped probabilities to start from.

What belongs here: what agreement means for each identifier. What does not: training and thresholds.
"""

from __future__ import annotations

from typing import Any

import splink.comparison_level_library as cll
from splink.comparison_library import CustomComparison
from splink.internals.comparison_creator import ComparisonCreator
from splink.internals.comparison_level_creator import ComparisonLevelCreator

# Level of the first-name comparison from which names agree as names, by the value Splink reports; 0 is "all other", the
# guard's refusal, and -1 "nothing to compare".
FIRST_FORMS = 4
# Levels that together let a middle name speak where a first name is missing: same birth date, surnames not at odds.
SAME_BIRTH, SAME_INITIAL = 8, 1
# Level of a shared id that may stand in for a birth date that differs altogether.
SAME_ID = 2

# Shipped m and u (probability of the level among matches and non-matches), highest level first; the last entry
# is "all other". They are starting values for estimation, and the values used where data is too thin for it.
SHIPPED: dict[str, tuple[tuple[float, float], ...]] = {
    "first": ((0.86, 0.006), (0.008, 0.00002), (0.05, 0.004), (0.04, 0.002), (0.015, 0.004), (0.002, 0.004), (0.025, 0.97998)),
    "last": ((0.84, 0.002), (0.008, 0.00002), (0.058, 0.003), (0.03, 0.001), (0.004, 0.0004), (0.01, 0.003), (0.05, 0.99058)),
    "dob": ((0.96, 0.00015), (0.005, 0.0001), (0.015, 0.003), (0.004, 0.0002), (0.006, 0.008), (0.004, 0.0002), (0.0004, 0.0004), (0.003, 0.045), (0.0066, 0.94295)),
    "sex": ((0.985, 0.5), (0.015, 0.5)),
    "middle": ((0.6, 0.01), (0.35, 0.08), (0.05, 0.91)),
    "household": ((0.62, 0.0008), (0.1, 0.0015), (0.1, 0.04), (0.06, 0.25), (0.12, 0.7077)),
    "road": ((0.75, 0.001), (0.15, 0.01), (0.1, 0.989)),
    "house": ((0.85, 0.01), (0.08, 0.1), (0.07, 0.89)),
    "zip": ((0.8, 0.01), (0.1, 0.03), (0.1, 0.96)),
    "city": ((0.8, 0.05), (0.1, 0.02), (0.1, 0.93)),
    "contact": ((0.7, 0.0001), (0.3, 0.9999)),
    "shared_id": ((0.97, 0.00001), (0.012, 0.0001), (0.018, 0.99989)),
}  # fmt: skip

# An id is almost never equal by chance in a sample: its u is not estimated but taken as shipped.
U_AS_SHIPPED = {"shared_id"}
# Among links that estimation believes in are co-twins; they may not teach the model that first names differ.
M_CEILING = {"first": (0, 0.02)}


def _sql(condition: str, label: str) -> ComparisonLevelCreator:
    return cll.CustomLevel(condition, label, base_dialect_str="duckdb")


def _within(one: str, other: str, edits: int) -> str:
    """Texts at most so many edits apart, two letters in each other's place being one edit.

    Without that, such an exchange is two edits, so what lies further apart by the plain distance, which takes a seventh
    of the time, need not be looked at.
    """
    return f"(levenshtein({one}, {other}) <= {2 * edits} and damerau_levenshtein({one}, {other}) <= {edits})"


def _one_off(column: str) -> ComparisonLevelCreator:
    return _sql(_within(f"{column}_l", f"{column}_r", 1), f"{column} one edit apart")


def _shifted(one: str, other: str) -> str:
    """Two of three names stand a field further on in one record; a middle name may be an initial there."""
    first, middle, last = (f"{name}_flat_{one}" for name in ("first", "middle", "last"))
    to_first, to_middle, to_last = (f"{name}_flat_{other}" for name in ("first", "middle", "last"))
    back = f"{middle} = {to_first} and (starts_with({last}, {to_middle}) or {first} = {to_last})"
    forth = f"{first} = {to_middle} and ({middle} = {to_last} or {last} = {to_first})"
    return f"({back}) or ({forth})"


# One of the two crosses over exactly, the other nearly; or the fields have slipped.
_SWAPPED = (
    "(first_flat_l = last_flat_r and jaro_winkler_similarity(last_flat_l, first_flat_r) >= 0.9) or "
    "(last_flat_l = first_flat_r and jaro_winkler_similarity(first_flat_l, last_flat_r) >= 0.9)"
)
_EXCHANGED = "(first_flat_l = middle_flat_r and middle_flat_l = first_flat_r)"
_SLIPPED = f"({_shifted('l', 'r')} or {_shifted('r', 'l')})"


# Splink takes the names of a list comprehension for columns, so it stands in a macro of the database.
MACROS = (
    """create or replace temp macro tl_part_near(tokens_l, tokens_r) as
       (len(tokens_l) > 1 or len(tokens_r) > 1) and list_bool_or(flatten([[least(length(a), length(b)) >= 5
       and levenshtein(a, b) <= 2 and damerau_levenshtein(a, b) <= 1 for b in tokens_r] for a in tokens_l]))""",
)


def _silent(part: str) -> str:
    """Names that say nothing: missing, or a word that may be a filler and is not the other's."""
    name = f"{part}_flat"
    filler = f"{part}_weak_l or {part}_weak_r"
    if part == "first":  # an initial does say something
        filler = f"({part}_weak_l and length({name}_l) > 1) or ({part}_weak_r and length({name}_r) > 1)"
    return f"{name}_l is null or {name}_r is null or (({filler}) and {name}_l <> {name}_r)"


def _first() -> list[ComparisonLevelCreator]:
    long_enough = _sql("length(first_flat_l) >= 4 and length(first_flat_r) >= 4", "four letters or more")
    initial = (
        "(length(first_flat_l) = 1 and substr(first_flat_r, 1, 1) = first_flat_l) or "
        "(length(first_flat_r) = 1 and substr(first_flat_l, 1, 1) = first_flat_r)"
    )
    return [
        _sql(_silent("first"), "no first name, or another filler").configure(is_null_level=True),
        cll.ExactMatchLevel("first_flat", term_frequency_adjustments=True),
        _sql(f"{_SWAPPED} or {_SLIPPED} or {_EXCHANGED}", "first and last or middle name swapped"),
        cll.ArrayIntersectLevel("first_set", 1),
        cll.And(_one_off("first_flat"), long_enough),
        cll.JaroWinklerLevel("first_flat", 0.9),
        _sql(initial, "initial"),
        cll.ElseLevel(),
    ]


def _last() -> list[ComparisonLevelCreator]:
    return [
        _sql(_silent("last"), "no last name, or another filler").configure(is_null_level=True),
        cll.ExactMatchLevel("last_flat", term_frequency_adjustments=True),
        _sql(f"{_SWAPPED} or {_SLIPPED}", "first and last name swapped"),
        cll.ArrayIntersectLevel("last_tokens", 1),
        _one_off("last_flat"),
        _sql("tl_part_near(last_tokens_l, last_tokens_r)", "a part of a double name, one letter off"),
        cll.JaroWinklerLevel("last_flat", 0.9),
        cll.ElseLevel(),
    ]


def _dob() -> list[ComparisonLevelCreator]:
    year_only = "(dob_text_l is null or dob_text_r is null)"
    swapped = (
        "substr(dob_text_l, 1, 4) = substr(dob_text_r, 1, 4) and substr(dob_text_l, 5, 2) = substr(dob_text_r, 7, 2) "
        "and substr(dob_text_l, 7, 2) = substr(dob_text_r, 5, 2)"
    )
    other_year = (
        "substr(dob_text_l, 5, 4) = substr(dob_text_r, 5, 4) and abs(birth_year_l - birth_year_r) = 1"
    )
    near = (
        "abs(dob_day_l - dob_day_r) <= 10 or (birth_year_l = birth_year_r and "
        "(substr(dob_text_l, 5, 4) = '0101' or substr(dob_text_r, 5, 4) = '0101'))"
    )
    return [
        cll.NullLevel("birth_year"),
        cll.ExactMatchLevel("dob_text"),
        _sql(swapped, "day and month swapped"),
        _one_off("dob_text"),
        _sql(other_year, "same day of the year, a year apart"),
        _sql(near, "within ten days, or one is 1 January of the same year"),
        _sql(f"{year_only} and birth_year_l = birth_year_r", "same year, and one knows no more than that"),
        _sql(
            f"{year_only} and abs(birth_year_l - birth_year_r) = 1",
            "a year apart, and one knows no more than that",
        ),
        _sql("birth_year_l = birth_year_r", "same year"),
        cll.ElseLevel(),
    ]


def _household() -> list[ComparisonLevelCreator]:
    nothing = (
        "(street_l is null or street_r is null) and (zip_l is null or zip_r is null) and "
        "(phone_l is null or phone_r is null) and (email_l is null or email_r is null) and "
        "(guardian_l is null or guardian_r is null)"
    )
    same = (
        "(street_l = street_r and (zip_l = zip_r or city_l = city_r or zip_l is null or zip_r is null)) "
        "or phone_l = phone_r or email_l = email_r"
    )
    similar = (
        "guardian_l = guardian_r or street_l = street_r or ((zip_l = zip_r or city_l = city_r) and "
        f"({_within('street_l', 'street_r', 2)} or (house_l = house_r and jaro_winkler_similarity(street_l, street_r) >= 0.85)))"
    )
    return [
        _sql(nothing, "nothing to compare").configure(is_null_level=True),
        _sql(same, "same street address, phone or e-mail"),
        _sql(similar, "similar street address, or same guardian"),
        _sql("zip_l = zip_r", "same postal code"),
        _sql("city_l = city_r", "same city"),
        cll.ElseLevel(),
    ]


def _middle() -> list[ComparisonLevelCreator]:
    return [
        cll.NullLevel("middle_flat"),
        cll.And(
            cll.ExactMatchLevel("middle_flat"),
            _sql("length(middle_flat_l) > 1 and length(middle_flat_r) > 1", "in full"),
        ),
        cll.ExactMatchLevel("middle_initial"),
        cll.ElseLevel(),
    ]


def _shared_id() -> list[ComparisonLevelCreator]:
    nothing = "(state_id_l is null or state_id_r is null) and (ssn_l is null or ssn_r is null)"
    return [
        _sql(nothing, "nothing to compare").configure(is_null_level=True),
        _sql("state_id_l = state_id_r or ssn_l = ssn_r", "same id"),
        _sql(
            f"{_within('state_id_l', 'state_id_r', 1)} or {_within('ssn_l', 'ssn_r', 1)}",
            "one character off",
        ),
        cll.ElseLevel(),
    ]


def _zip() -> list[ComparisonLevelCreator]:
    return [
        cll.NullLevel("zip"),
        cll.ExactMatchLevel("zip"),
        _one_off("zip"),
        cll.ElseLevel(),
    ]


def _road() -> list[ComparisonLevelCreator]:
    return [
        cll.NullLevel("road"),
        cll.ExactMatchLevel("road"),
        cll.JaroWinklerLevel("road", 0.85),
        cll.ElseLevel(),
    ]


def _house() -> list[ComparisonLevelCreator]:
    return [
        cll.NullLevel("house"),
        cll.ExactMatchLevel("house"),
        _one_off("house"),
        cll.ElseLevel(),
    ]


def _city() -> list[ComparisonLevelCreator]:
    return [
        cll.NullLevel("city"),
        cll.ExactMatchLevel("city"),
        cll.JaroWinklerLevel("city", 0.88),
        cll.ElseLevel(),
    ]


def _contact() -> list[ComparisonLevelCreator]:
    nothing = "(phone_l is null or phone_r is null) and (email_l is null or email_r is null)"
    return [
        _sql(nothing, "nothing to compare").configure(is_null_level=True),
        _sql("phone_l = phone_r or email_l = email_r", "same phone or e-mail"),
        cll.ElseLevel(),
    ]


def comparisons(*, families: bool, tf_minimum: float = 0.0005) -> list[ComparisonCreator | dict[str, Any]]:
    """All comparisons as Splink takes them, with shipped probabilities.

    Args:
        families: where people live in families, all that a household shares counts once, since it comes
            together; among unrelated people each part of an address is evidence of its own.
        tf_minimum: smallest frequency of a name that counts; rarer ones may be slips of the pen.
    """
    levels = {
        "first": _first(),
        "last": _last(),
        "dob": _dob(),
        "sex": [cll.NullLevel("sex"), cll.ExactMatchLevel("sex"), cll.ElseLevel()],
        "middle": _middle(),
        "shared_id": _shared_id(),
    }
    if families:
        levels["household"] = _household()
    else:
        levels |= {"road": _road(), "house": _house(), "zip": _zip(), "city": _city(), "contact": _contact()}
    return [_comparison(name, found, tf_minimum) for name, found in levels.items()]


def _comparison(name: str, levels: list[ComparisonLevelCreator], tf_minimum: float) -> dict[str, Any]:
    for level, (m, u) in zip(levels[1:], SHIPPED[name], strict=True):
        level.configure(m_probability=m, u_probability=u)
    made: dict[str, Any] = CustomComparison(
        list[ComparisonLevelCreator | dict[str, Any]](levels), output_column_name=name
    ).create_comparison_dict("duckdb")
    for made_level in made["comparison_levels"]:
        if made_level.get("tf_adjustment_column"):
            made_level["tf_minimum_u_value"] = tf_minimum
    return made
