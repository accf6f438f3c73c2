"""A community of one's own in a temporary folder, filled by a few lines of YAML and CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

import ingestion
from ingestion.acceptance import DeliveryOutcome
from ingestion.contracts import load_contracts
from warehouse import duck, lake
from warehouse.community import Community, load_community
from warehouse.ledger import Ledger
from warehouse.settings import Settings
from warehouse.vault import attach_vault, make_key_file

START = datetime(2024, 11, 15, 2, 30, tzinfo=UTC)

ENROLLMENT_MAPPING = """\
feed: k12_enrollment
file_pattern: ["enroll*.csv"]
layouts:
  - columns:
      person_id: Id
      first_name: First
      last_name: Last
      birth_date: {from: DOB, date_format: ["%m/%d/%Y"]}
      gender: {from: Sex, codes: gender}
      race_codes: {from: Race, separator: ";", codes: race}
      school_year: {from: Year, convert: spring_year}
      school_id: School
      grade_level: Grade
      entry_date: {from: Entry, date_format: ["%m/%d/%Y"]}
code_lists:
  gender: {F: Female, M: Male, "": NotCollected}
  race: {B: BlackorAfricanAmerican, W: White, "": NotCollected}
"""
ENROLLMENT_HEADER = "Id,First,Last,DOB,Sex,Race,Year,School,Grade,Entry\n"


def enrollment_rows(count: int, first: int = 1, year: str = "2023-24") -> str:
    """Rows of invented children that nothing is wrong with."""
    entry = f"08/21/{year[:4]}"
    return "".join(
        f"{n},Name{n},Family{n},04/{n % 28 + 1:02}/2015,F,W,{year},Oak,03,{entry}\n"
        for n in range(first, first + count)
    )


@dataclass
class Town:
    """A community, and the hands to drop files and look at what came of them."""

    root: Path
    moment: datetime = START

    @property
    def community(self) -> Community:
        return load_community(self.root)

    @property
    def settings(self) -> Settings:
        return Settings(now=self.moment)

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.community.paths, self.settings)

    def partner(self, partner_id: str, extra: str = "") -> None:
        folder = self.root / "partners" / partner_id / "feeds"
        folder.mkdir(parents=True, exist_ok=True)
        text = f"partner_id: {partner_id}\nname: Partner {partner_id}\nsector: k12\n{extra}"
        (folder.parent / "partner.yml").write_text(text)

    def mapping(self, text: str, partner_id: str = "district", name: str = "mapping") -> None:
        self.partner(partner_id) if not (
            self.root / "partners" / partner_id / "partner.yml"
        ).exists() else None
        (self.root / "partners" / partner_id / "feeds" / f"{name}.yml").write_text(text)

    def drop(self, name: str, content: str | bytes, partner_id: str = "district") -> Path:
        folder = self.root / "data" / "landing" / partner_id
        folder.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        return folder / name

    def receive(self) -> list[DeliveryOutcome]:
        outcomes = ingestion.receive_all(self.community, self.settings)
        self.moment += timedelta(days=1)
        return outcomes

    def take(self, name: str, content: str | bytes, partner_id: str = "district") -> DeliveryOutcome:
        """Drop one file and receive it."""
        self.drop(name, content, partner_id)
        return next(outcome for outcome in self.receive() if outcome.partner_id == partner_id)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Answer of a query on the lake as it is in force."""
        with duckdb.connect() as con:
            specs = [contract.lake_spec() for contract in load_contracts().values()]
            lake.register(con, self.community.paths, self.ledger.current_files(), specs, ledger=self.ledger)
            return con.execute(query).fetchall()

    def vault_rows(self, query: str) -> list[tuple[object, ...]]:
        con = duck.connect()
        attach_vault(con, self.community.paths, self.settings, purpose="test", read_only=True)
        try:
            return con.execute(query).fetchall()
        finally:
            con.close()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A community without partners."""
    return new_town(tmp_path)


def new_town(folder: Path) -> Town:
    """A community without partners, in a folder of its own."""
    root = folder / "town"
    root.mkdir()
    (root / "community.yml").write_text("community_id: town\nname: Town\n")
    community = load_community(root)
    community.paths.ensure()
    make_key_file(community.paths)
    return Town(root)


@pytest.fixture
def enrolled(town: Town) -> Town:
    """The community with one district that sends enrollment."""
    town.mapping(ENROLLMENT_MAPPING)
    return town


@pytest.fixture
def enrollment() -> Callable[..., str]:
    """An enrollment file of so many good rows."""
    return lambda count=3, first=1, year="2023-24", more="": (
        ENROLLMENT_HEADER + enrollment_rows(count, first, year) + more
    )
