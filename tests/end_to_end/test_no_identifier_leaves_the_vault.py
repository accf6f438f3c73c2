"""A byte search of everything outside the vault for every identifier of the sample."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from ingestion.contracts import load_contracts
from warehouse import duck
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import IDENTIFIER_COLUMNS, attach_vault

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end_to_end")]

# Too short or too common to be looked for as bytes: they stand in any text.
_SHORTEST = 5
_SKIPPED_COLUMNS = {"sex", "state_code", "city", "postal_code", "name_suffix"}
_TEXT_SUFFIXES = {".json", ".html", ".csv", ".log", ".yml", ".txt", ".sql", ".md"}


def _identifiers(root: Path) -> set[bytes]:
    """Every distinct identifier value that the vault holds, and that is distinctive enough to search for."""
    paths = CommunityPaths(root)
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test: list identifiers to search for", read_only=True)
    found: set[bytes] = set()
    for column in IDENTIFIER_COLUMNS:
        if column in _SKIPPED_COLUMNS:
            continue
        rows = con.execute(
            f"select distinct cast({column} as varchar) from vault.identifier_record"
        ).fetchall()
        found |= {row[0].encode() for row in rows if row[0] and len(row[0]) >= _SHORTEST}
    con.close()
    return found


def _event_days(root: Path) -> set[bytes]:
    """Every day in a column of the lake that the contracts know as the day of an event."""
    days: set[bytes] = set()
    for contract in load_contracts().values():
        names = [c.name for c in contract.columns if c.type == "date" and c.class_ != "identifier"]
        files = [str(file) for file in (root / "data" / "lake" / contract.feed).rglob("*.parquet")]
        if not names or not files:
            continue
        columns = " union ".join(
            f"select distinct cast({name} as varchar) as day from read_parquet({files!r}, union_by_name = true)"
            for name in names
        )
        with duckdb.connect() as con:
            days |= {row[0].encode() for row in con.execute(columns).fetchall() if row[0]}
    return days


def _columns_of_lake(root: Path) -> set[str]:
    with duckdb.connect() as con:
        rows = con.execute(
            f"select distinct column_name from (describe select * from read_parquet('{root}/data/lake/[a-z]*/**/*.parquet', union_by_name = true))"
        ).fetchall()
    return {row[0] for row in rows}


def test_the_lake_has_no_identifying_column(demo: Path) -> None:
    """If not, separation of identifiers from data is a claim only."""
    assert not _columns_of_lake(demo) & set(IDENTIFIER_COLUMNS)


def test_no_identifier_outside_the_vault(demo: Path) -> None:
    """If not, a name, birth date, address, phone or id of a child lies in the open."""
    # A day on which something happened to anybody may be somebody's birthday; only other days can tell.
    wanted = _identifiers(demo) - _event_days(demo)
    assert len(wanted) > 1000
    word = re.compile(rb"[\w@.+'\-/ #]{5,80}")
    kept_apart = {demo / "data" / "vault", demo / "truth", demo / "nights", demo / "data" / "landing"}
    hits: dict[str, int] = {}
    for file in demo.rglob("*"):
        if not file.is_file() or file.is_symlink() or any(folder in file.parents for folder in kept_apart):
            continue
        data = _plain_bytes(file)
        tokens = set(re.findall(rb"[^\s,;|\"<>{}\[\]()=\x00-\x1f]{5,80}", data)) | {
            run.strip() for run in word.findall(data)
        }
        found = tokens & wanted
        if found:
            hits[str(file.relative_to(demo))] = len(found)
    assert hits == {}


def _plain_bytes(file: Path) -> bytes:
    """The bytes of a file; of a Parquet file the text of its columns, which would else be compressed."""
    if file.suffix != ".parquet" or file.read_bytes()[-4:] == b"PARE":
        # An encrypted Parquet file ends in PARE; its bytes are searched as they are.
        return file.read_bytes()
    with duckdb.connect() as con:
        names = [
            row[0]
            for row in con.execute(f"describe select * from '{file}'").fetchall()
            if row[1].startswith(("VARCHAR", "DATE"))
        ]
        parts = []
        for name in names:
            rows = con.execute(f"select distinct cast(\"{name}\" as varchar) from '{file}'").fetchall()
            parts.append("\n".join(row[0] for row in rows if row[0] is not None))
    return "\n".join(parts).encode()
