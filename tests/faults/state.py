"""What a community looks like from outside after a night, so that two of them can be compared."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.community import load_community
from warehouse.duck import sql_literal
from warehouse.ledger import Ledger
from warehouse.release import list_releases, verify_release
from warehouse.settings import CommunityPaths, Settings

_TOLD = (
    "delivery_id",
    "partner_id",
    "feed_id",
    "status",
    "rows_in",
    "rows_accepted",
    "rows_quarantined",
    "is_in_force",
)


@dataclass(frozen=True)
class State:
    """A community after a night.

    Attributes:
        deliveries: how often each delivery (id, status, rows, whether in force) stands in the ledger.
        lake: path of each lake file in force and a hash of its rows, but for the number of the delivery: that counts
            what arrived, and a file that came twice, or late, counts otherwise.
        persons: which records are one person, as a hash over the groups, whatever the keys are called.
        known_keys: keys of the records that were linked before the night, which must stay.
        release: hashes of the tables of the current release.
        dropped: files still in the drop folders.
        receipts: how many receipts there are.
    """

    deliveries: Counter[tuple[Any, ...]]
    lake: frozenset[tuple[str, str]]
    persons: str
    keys: dict[str, str]
    release: dict[str, str]
    dropped: frozenset[str]
    receipts: int


def look(root: Path) -> State:
    """Read the state of a community; changes nothing."""
    community = load_community(root)
    paths = community.paths
    ledger = Ledger.open(paths, Settings())
    rows = Counter(tuple(row[name] for name in _TOLD) for row in ledger.delivery_rows())
    keys = _keys(paths)
    return State(
        deliveries=rows,
        lake=frozenset((f.path, _rows(paths.data / f.path)) for f in ledger.current_files()),
        persons=_groups(keys),
        keys=keys,
        release=released(paths),
        dropped=frozenset(str(f.relative_to(paths.landing)) for f in paths.landing.rglob("*") if f.is_file()),
        receipts=sum(1 for f in paths.receipts.rglob("*.html") if f.name != "index.html"),
    )


def released(paths: CommunityPaths) -> dict[str, str]:
    """Table hashes of the current release."""
    current = next((info for info in list_releases(paths) if info.is_current), None)
    return {name: table["hash"] for name, table in current.tables.items()} if current else {}


def visible_half(root: Path, allowed: list[dict[str, str]]) -> str | None:
    """Whether readers could see something half made right now: why, or None.

    Args:
        root: the community.
        allowed: table hashes of the releases that may be current.
    """
    paths = CommunityPaths(root)
    if released(paths) not in allowed:
        return "the current release is none of those that may be"
    if not released(paths):
        return None
    wrong = verify_release(paths, "current")
    return f"the current release is not whole: {wrong[0]}" if wrong else None


def _keys(paths: CommunityPaths) -> dict[str, str]:
    file = paths.crosswalk / "crosswalk.parquet"
    if not file.is_file():
        return {}
    with duckdb.connect() as con:
        return dict(con.execute(f"select source_person_key, person_key from '{file}'").fetchall())


def _groups(keys: dict[str, str]) -> str:
    groups: dict[str, list[str]] = {}
    for record, key in keys.items():
        groups.setdefault(key, []).append(record)
    text = "\n".join(sorted(",".join(sorted(records)) for records in groups.values()))
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(path: Path) -> str:
    if not path.is_file():
        return "gone"
    with duckdb.connect() as con:
        rows = f"(select columns(name -> name <> 'delivery_seq') from read_parquet({sql_literal(str(path))}))"
        try:
            return str(con.execute(f"select count(*), sum(hash(r)::hugeint) from {rows} as r").fetchall()[0])
        except duckdb.Error as error:
            return f"unreadable ({type(error).__name__})"
