"""Tables and descriptions as strangers write them: what would quietly leave a number unprotected is refused, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

_PLAIN = {"tables": [{"dimensions": ["race"], "counts": ["n"]}]}
_PARTS = {"tables": [{"dimensions": ["race"], "counts": ["n", "met"], "numerators": {"met": "n"}}]}
_RATES = {
    "tables": [
        {**_PARTS["tables"][0], "rates": {"rate": {"numerator": "met", "denominator": "n"}}}  # type: ignore[dict-item]
    ]
}


@pytest.mark.parametrize(
    ("table", "about", "told"),
    [
        # A total under another name would be one more group, and the small one the difference.
        ("race,n\nTotal,104\na,4\nb,50\nc,50", _PLAIN, r"t\.csv: row 2: column race: 'Total'.*total: Total"),
        # A number that nothing describes would be written as it is.
        ("race,n,met\nall,104,50\na,4,2\nb,100,48", _PLAIN, r"t\.csv: row 2: column met: .*labels"),
        ("race,n,n\nall,104,104\na,4,4\nb,100,100", _PLAIN, r"t\.csv: column n stands twice"),
        ("race,n,met\nall,100,50\na,4,5\nb,96,45", _PARTS, r"t\.csv: row 3: column met: .*larger than n"),
        (
            "race,n,met,rate\nall,90,45,80\na,40,20,50\nb,50,25,50",
            _RATES,
            r"t\.csv: row 2: column rate: .*50\.0",
        ),
        ("race,n\n", _PLAIN, r"t\.csv: .*no row"),
        ("race,n\nall,9\na,4,7\nb,5", _PLAIN, r"t\.csv: .*line 3.*quote"),
        (
            "race,n\nall,104\na,4\nb,100",
            {"dimensions": {"race": {"sums": {"all": ["a", "bb"]}}}, **_PLAIN},
            r"t\.csv: row 4: column race: 'b' .*sums",
        ),
    ],
)
def test_a_wrong_table_is_refused_with_file_row_column_and_fix(
    protect: Any, table: str, about: dict[str, Any], told: str
) -> None:
    """If not, the result is called safe and is not, or nobody finds the place to mend."""
    with pytest.raises(ValueError, match=told):
        protect({"t.csv": table}, about)


def test_a_contradiction_names_the_place(audit: Any) -> None:
    """If not, whoever audits a hundred files does not know in which to look."""
    with pytest.raises(ValueError, match=r"t\.csv: row \d: column n: .*contradict"):
        audit({"t.csv": "race,n\nall,10\na,\nb,20\nc,"}, _PLAIN)


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"dimensions": {"rase": {"total": "all"}}, **_PLAIN}, "rase.*no table has"),
        ({"tables": [{"dimensions": ["race"], "counts": ["n"], "numerators": {"n": "n"}}]}, "part of itself"),
        (
            {"tables": [{"dimensions": ["race"], "counts": ["n", "m"], "numerators": {"n": "m", "m": "n"}}]},
            "part of itself",
        ),
    ],
)
def test_a_description_that_says_nothing_is_refused(protect: Any, about: dict[str, Any], told: str) -> None:
    """If not, a typing error leaves a dimension without its total, and nothing is said."""
    with pytest.raises((ValidationError, ValueError), match=told):
        protect({"t.csv": "race,n\nall,104\na,4\nb,100"}, about)


def test_labels_and_words_are_written_as_they_are(protect: Any) -> None:
    """If not, nobody can publish a table with a school's number beside its name."""
    about = {"tables": [{"dimensions": ["race"], "counts": ["n"], "labels": ["code"]}]}
    result = protect({"t.csv": "race,code,n,name\nall,1,104,All\na,2,4,A\nb,3,40,B\nc,4,60,C"}, about)
    assert not result.audit.unsafe
