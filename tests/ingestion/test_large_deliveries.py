"""How large a file is decides how it is read and where its rows lie, never what is made of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.acceptance import judging
from ingestion.readers import clean, delimited
from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows, new_town


def _delivery() -> str:
    """Rows of two years, among them repeated ones, other ones of the same key, and some of every fault."""
    rows = [*enrollment_rows(400).splitlines(), *enrollment_rows(300, 1000, "2022-23").splitlines()]
    faulty = ["", "X", "13/45/2015", "2023-24", "9", " ", "-1", "=1+1", "ÅÄÖ", "#N/A", "04/01/2999", "W;B"]
    chance = random.Random(5)
    for _ in range(250):
        cells = chance.choice(rows).split(",")
        for _ in range(chance.randrange(3)):
            cells[chance.randrange(len(cells))] = chance.choice(faulty)
        rows.insert(chance.randrange(len(rows)), ",".join(cells))
    return ENROLLMENT_HEADER + "\n".join(rows) + "\n"


def _taken(town: Town) -> list[object]:
    """All that is known of the delivery afterwards."""
    town.mapping(ENROLLMENT_MAPPING)
    outcome = town.take("enroll.csv", _delivery())
    assert outcome.receipt is not None
    return [
        outcome.status,
        [finding.model_dump() for finding in outcome.findings],
        (outcome.judgement.accepted, outcome.judgement.quarantined, outcome.judgement.periods),
        town.rows("from lake.k12_enrollment order by all"),
        town.vault_rows("from vault.identifier_record order by all"),
        outcome.receipt.read_text("utf-8"),
    ]


def _noted(function: Callable[..., object], calls: list[object]) -> Callable[..., object]:
    def noted(*args: object) -> object:
        calls.append(function(*args))
        return calls[-1]

    return noted


def test_a_large_delivery_is_judged_like_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consequence of failing: other rows are taken, or other reasons told, from a file because it is large."""
    (tmp_path / "other").mkdir()
    small, large = new_town(tmp_path), new_town(tmp_path / "other")
    key = small.community.paths.keys / "vault.key"
    shutil.copy(key, large.community.paths.keys / "vault.key")
    wanted = _taken(small)
    monkeypatch.setattr(delimited, "_LARGE", 0)
    monkeypatch.setattr(clean, "_BLOCK", 5000)
    read: list[object] = []
    kept: list[object] = []
    monkeypatch.setattr(delimited, "read_clean", _noted(delimited.read_clean, read))
    monkeypatch.setattr(judging, "is_kept", _noted(judging.is_kept, kept))
    assert _taken(large) == wanted
    assert read == [950] and kept == [True]
    told = wanted[1]
    assert isinstance(told, list)
    assert {"duplicate_row", "duplicate_key", "type", "required", "unknown_code"} <= {f["code"] for f in told}


def test_nothing_of_a_large_delivery_stays_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consequence of failing: a file is judged by the rows of the one before it."""
    town = new_town(tmp_path)
    town.mapping(ENROLLMENT_MAPPING)
    for name, floor in (("a", 0), ("b", 1 << 30), ("c", 0)):
        monkeypatch.setattr(delimited, "_LARGE", floor)
        content = ENROLLMENT_HEADER + enrollment_rows(30 + ord(name))
        assert town.take(f"enroll_{name}.csv", content).judgement.accepted == 30 + ord(name)


def test_large_wide_tables_are_turned_and_scoped(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consequence of failing: a mapping that fits a small file is said not to fit a large one."""
    monkeypatch.setattr(delimited, "_LARGE", 0)
    read: list[object] = []
    monkeypatch.setattr(delimited, "read_clean", _noted(delimited.read_clean, read))
    town.mapping("standard: edfacts/community_measure\n", name="measures")
    wide = (
        "STNAM,FIPST,LEAID,ST_LEAID,LEANM,ALL_COHORT_1819,ALL_RATE_1819,MAM_RATE_1819,DATE_CUR\n"
        + "".join(f"OHIO,39,{3904000 + n},OH-{n},Town {n},{1200 + n},85,LT50,01OCT20\n" for n in range(40))
    )
    assert town.take("acgr-lea-sy2018-19.csv", wide).judgement.accepted == 120
    town.mapping(f'{ENROLLMENT_MAPPING}rows: "\\"School\\" = \'Oak\' and \\"Id\\" <> \'7\'"\n')
    judged = town.take("enroll.csv", ENROLLMENT_HEADER + enrollment_rows(40)).judgement
    assert (judged.accepted, judged.not_applicable) == (39, 1)
    assert read == [40, 40]
