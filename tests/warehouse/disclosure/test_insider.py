"""What the only one of a withheld group tells of others in an audit beside the true numbers, against trying every table."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from warehouse.disclosure.describe import Description
from warehouse.disclosure.policy import DisclosurePolicy
from warehouse.disclosure.run import audit_files

_ABOUT = Description.model_validate({"tables": [{"dimensions": ["race", "gender"], "counts": ["n"]}]})
_RACES, _GENDERS = ("a", "b", "c"), ("f", "m")
_INNER = list(itertools.product(_RACES, _GENDERS))
_KEYS = list(itertools.product((*_RACES, "all"), (*_GENDERS, "all")))


def _policy(singletons: bool) -> DisclosurePolicy:
    return DisclosurePolicy(
        minimum_n=3, smallest_part=0, lower=0, upper=1, hide_below_threshold=False, singletons=singletons
    )  # type: ignore[call-arg]


def _counts(people: np.ndarray) -> dict[tuple[str, str], int]:
    inner = dict(zip(_INNER, map(int, people), strict=True))
    return {
        (race, gender): sum(n for (r, g), n in inner.items() if race in ("all", r) and gender in ("all", g))
        for race, gender in _KEYS
    }


def _told(
    folder: Path, people: np.ndarray, hidden: set[tuple[str, str]], singletons: bool = True
) -> dict[tuple[str, str], str]:
    """Cells that the audit finds unsafe, each with the reason."""
    true, public = folder / "true.csv", folder / "public.csv"
    lines = [(*key, n) for key, n in _counts(people).items()]
    true.write_text("race,gender,n\n" + "\n".join(f"{r},{g},{n}" for r, g, n in lines) + "\n")
    shown = [(r, g, "" if (r, g) in hidden else n) for r, g, n in lines]
    public.write_text("race,gender,n\n" + "\n".join(f"{r},{g},{n}" for r, g, n in shown) + "\n")
    audit = audit_files([public], _ABOUT, _policy(singletons), original=[true])
    names = (
        [name.split("=")[0] for name in audit.findings[0].range.name.split(", ")[:2]]
        if audit.findings
        else []
    )
    found = {}
    for finding in audit.unsafe:
        named = dict(zip(names, finding.range.cell[2:], strict=True))
        found[named["race"], named["gender"]] = finding.unsafe
    return found


_LONE = np.array([1, 5, 5, 1, 9, 9])
_CROSS = {("a", "f"), ("a", "m"), ("b", "f"), ("b", "m")}


def test_the_only_one_of_a_group_subtracts_herself(tmp_path: Path) -> None:
    """If not found, tables pass in which one child reads the other by the totals that they share."""
    assert _told(tmp_path, _LONE, _CROSS, singletons=False) == {}
    found = _told(tmp_path, _LONE, _CROSS)
    assert set(found) == {("a", "f"), ("b", "m")}
    assert all("known exactly to the only one of" in why for why in found.values())


@pytest.mark.parametrize("seed", range(12))
def test_the_audit_tells_what_trying_every_table_tells(seed: int, tmp_path: Path) -> None:
    """If not, a lone person tells what the audit calls safe, or an audit refuses what nobody can tell."""
    rng = np.random.default_rng(seed)
    people = rng.permutation(np.array([1, 1, *rng.integers(1, 4, 4)]))
    hidden = {key for key in _INNER if rng.random() < 0.8} | {
        (r, "all") for r in _RACES if rng.random() < 0.3
    }
    truth = _counts(people)
    tables = _every_table(truth, hidden)
    stranger = _told(tmp_path, people, hidden, singletons=False)
    small = [key for key in hidden if 0 < truth[key] < 3]
    wanted = set()
    for one in (key for key in small if truth[key] == 1):
        own = {key for key in small if truth[key] == 1 and _same(one, key)}
        fits = [t for t in tables if all(t[key] == 1 for key in own)]
        wanted |= {key for key in small if key not in own and len({t[key] for t in fits}) == 1}
    assert set(_told(tmp_path, people, hidden)) == wanted | set(stranger)


def _same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two groups of one are the same person: one lies within the other."""
    return all(a == b or "all" in (a, b) for a, b in zip(one, other, strict=True))


def _every_table(
    truth: dict[tuple[str, str], int], hidden: set[tuple[str, str]]
) -> list[dict[tuple[str, str], int]]:
    """Every table of whole numbers that shows what is shown; no cell is more than its gender's shown total."""
    most = max(truth["all", gender] for gender in _GENDERS)
    choices = [np.arange(most + 1) if key in hidden else np.array([truth[key]]) for key in _INNER]
    inner = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, len(_INNER))
    member = np.array([[r in ("all", a) and g in ("all", b) for r, g in _KEYS] for a, b in _INNER], dtype=int)
    tables = inner @ member
    for at, key in enumerate(_KEYS):
        if key not in hidden:
            tables = tables[tables[:, at] == truth[key]]
    return [dict(zip(_KEYS, map(int, row), strict=True)) for row in tables]
