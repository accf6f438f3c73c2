"""What is nearly the same text, found by way of a cheaper distance first."""

from __future__ import annotations

import random
import re

import duckdb
import pytest

from warehouse.linkage.comparisons import _within, comparisons

_LETTERS = "abcé1"


def _edited(text: str, edits: int, rng: random.Random) -> str:
    """So many slips of a finger further: a letter other, missing, too many, or two in each other's place."""
    letters = list(text)
    for _ in range(edits):
        at = rng.randrange(len(letters) + 1)
        kind = rng.randrange(4)
        if kind == 0 or not letters:
            letters.insert(at, rng.choice(_LETTERS))
        elif kind == 1:
            del letters[min(at, len(letters) - 1)]
        elif kind == 2:
            letters[min(at, len(letters) - 1)] = rng.choice(_LETTERS)
        else:
            at = min(at, len(letters) - 1)
            letters[at - 1], letters[at] = letters[at], letters[at - 1]
    return "".join(letters)


@pytest.mark.parametrize("edits", [1, 2])
def test_the_cheaper_distance_loses_no_pair(edits: int) -> None:
    """If it does, people whose names differ by a slip are strangers to each other."""
    rng = random.Random(edits)
    texts = ["".join(rng.choices(_LETTERS, k=rng.randrange(9))) for _ in range(3_000)]
    pairs = [(text, _edited(text, rng.randrange(5), rng)) for text in texts]
    with duckdb.connect() as con:
        con.execute("create table pair (a varchar, b varchar)")
        con.executemany("insert into pair values (?, ?)", pairs)
        exact = f"damerau_levenshtein(a, b) <= {edits}"
        counted = f"select count(*) filter (where {{}}), count(*) filter (where {exact}), count(*) from pair"
        told, near, every = con.execute(counted.format(_within("a", "b", edits))).fetchall()[0]
        assert told == near and 500 < near < every - 500
        # A bound that takes the exchange of two letters for one plain edit does lose some.
        assert (
            con.execute(counted.format(f"levenshtein(a, b) <= {edits} and {exact}")).fetchall()[0][0] < near
        )


@pytest.mark.parametrize("families", [True, False])
def test_no_comparison_starts_with_the_costly_distance(families: bool) -> None:
    """If one does, nearly all of a first linkage's time goes there."""
    conditions = [
        level["sql_condition"]
        for comparison in comparisons(families=families)
        if isinstance(comparison, dict)
        for level in comparison["comparison_levels"]
    ]
    costly = [one for one in conditions if "damerau_levenshtein" in one]
    assert len(costly) > 3
    for condition in costly:
        guarded = re.findall(r"levenshtein\([^)]*\) <= \d+ and damerau_levenshtein\(", condition)
        assert len(guarded) == condition.count("damerau_levenshtein(")
