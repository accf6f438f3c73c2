"""Two partners with persons of their own and in common."""

from __future__ import annotations

import pytest

from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows, town
from warehouse.agreements.destroy import _relink
from warehouse.settings import Settings

__all__ = ["town"]
BAD = "77,Zeb,Lost,13/45/2015,F,W,2023-24,Oak,03,08/21/2023\n"


def agree(community: Town, partner: str, text: str) -> None:
    """Write a partner's agreement."""
    (community.root / "partners" / partner / "partner.yml").write_text(
        f"partner_id: {partner}\nname: {partner}\nsector: k12\nagreement: {{{text}}}\n"
    )


@pytest.fixture
def pair(town: Town) -> Town:
    """North has children 1 to 30, south 21 to 50 under its own numbers; both were linked."""
    for partner, first in (("north", 1), ("south", 21)):
        town.mapping(ENROLLMENT_MAPPING, partner_id=partner)
        agree(town, partner, f"agreement_id: {partner.upper()}-1")
        town.drop("enroll.csv", ENROLLMENT_HEADER + enrollment_rows(30, first) + BAD, partner)
    assert {outcome.status for outcome in town.receive()} == {"accepted"}
    relink(town)
    return town


def relink(community: Town) -> None:
    _relink(community.community, Settings(now=community.moment), community.ledger)
