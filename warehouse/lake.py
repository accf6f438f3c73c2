"""The lake: pseudonymous Parquet files, and the views over those in force.

What belongs here: registering the lake in a DuckDB connection. What does not: which deliveries are in force
(`warehouse.ledger`) and how rows came to be accepted (`ingestion`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from warehouse.duck import quote_identifier, sql_literal
from warehouse.settings import CommunityPaths

if TYPE_CHECKING:
    from warehouse.ledger import LakeFile, Ledger

META_COLUMNS = (
    ("partner_id", "VARCHAR"),
    ("issuer_id", "VARCHAR"),
    ("delivery_id", "VARCHAR"),
    ("delivery_seq", "BIGINT"),
    ("source_row", "BIGINT"),
)
# Marks a row of changes that takes its key out; files of deliveries without deletions lack it.
DELETED = "_deleted"
_MAYBE_DELETED = f"union all by name select null::boolean as {DELETED} where false"
_CROSSWALK = (
    ("source_person_key", "VARCHAR"),
    ("partner_id", "VARCHAR"),
    ("person_key", "VARCHAR"),
    ("link_confidence", "DOUBLE"),
    ("link_stage", "VARCHAR"),
    ("first_linked_run", "VARCHAR"),
)
_HOUSEHOLD = (
    ("source_person_key", "VARCHAR"),
    ("delivery_id", "VARCHAR"),
    ("household_key", "VARCHAR"),
)
_QUALITY = (
    ("partner_id", "VARCHAR"),
    ("link_stage", "VARCHAR"),
    ("records_n", "BIGINT"),
    ("linked_n", "BIGINT"),
    ("match_rate", "DOUBLE"),
    ("grey_zone_rate", "DOUBLE"),
    ("estimated_precision", "DOUBLE"),
    ("estimated_recall", "DOUBLE"),
)


class LakeError(RuntimeError):
    """A lake file is damaged or gone and cannot be made again; the message names it and says what to do."""


def damaged_files(paths: CommunityPaths, files: Sequence[LakeFile]) -> list[LakeFile]:
    """The files whose bytes are not those that the ledger noted, or that are gone."""
    return [file for file in files if _content_hash(paths, file) != file.sha256]


def _content_hash(paths: CommunityPaths, file: LakeFile) -> str | None:
    try:
        with (paths.data / file.path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


@dataclass(frozen=True)
class FeedSpec:
    """What the lake needs to know of a feed: columns as (name, DuckDB type), key, delivery mode."""

    feed_id: str
    delivery_mode: str
    has_person: bool
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]

    @property
    def all_columns(self) -> tuple[tuple[str, str], ...]:
        """Columns of the feed's view, those that every feed has first."""
        person = (("source_person_key", "VARCHAR"),) if self.has_person else ()
        return (*META_COLUMNS, *person, *self.columns)


def register(
    con: duckdb.DuckDBPyConnection,
    paths: CommunityPaths,
    files: Sequence[LakeFile],
    feeds: Sequence[FeedSpec],
    ledger: Ledger | None = None,
) -> None:
    """Create schema `lake`: one view a feed over the files in force, the crosswalk, and what was delivered.

    Every feed's view has all columns of the contract, typed, also where there is no file. The views are
    `lake.<feed>`, `lake.crosswalk`, `lake.household`, `lake.linkage_quality`; with a ledger also the tables `lake.delivery` (without
    file names).

    Args:
        con: the database to register in.
        paths: the community.
        files: lake files in force, from `Ledger.current_files`.
        feeds: what is to be known of each feed.
        ledger: for what was delivered; empty tables without it.
    """
    con.execute("create schema if not exists lake")
    by_feed: dict[str, list[LakeFile]] = defaultdict(list)
    for file in files:
        by_feed[file.feed_id].append(file)
    for feed in feeds:
        con.execute(_feed_view(paths, feed, by_feed.get(feed.feed_id, [])))
    for name, columns in (
        ("crosswalk", _CROSSWALK),
        ("household", _HOUSEHOLD),
        ("linkage_quality", _QUALITY),
    ):
        file_path = paths.crosswalk / f"{name}.parquet"
        con.execute(_typed_view(name, columns, [str(file_path)] if file_path.is_file() else []))
    rows = ledger.delivery_rows() if ledger is not None else []
    con.register("_deliveries", pa.Table.from_pylist(rows, schema=_DELIVERY))
    con.execute("create or replace table lake.delivery as from _deliveries")
    con.unregister("_deliveries")


_DELIVERY = pa.schema(
    [
        ("delivery_id", pa.string()),
        ("delivery_seq", pa.int64()),
        ("partner_id", pa.string()),
        ("feed_id", pa.string()),
        ("status", pa.string()),
        ("received_at", pa.timestamp("us")),
        ("sha256", pa.string()),
        ("rows_in", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("rows_quarantined", pa.int64()),
        ("is_in_force", pa.bool_()),
        ("held_by", pa.string()),
    ]
)


def _feed_view(paths: CommunityPaths, feed: FeedSpec, files: Sequence[LakeFile]) -> str:
    """The feed's rows in force; of a partner that sends changes, the last row of each key, unless it deletes the key."""
    changing = {file.partner_id for file in files if file.is_upsert}
    whole = [str(paths.data / file.path) for file in files if file.partner_id not in changing]
    changes = [str(paths.data / file.path) for file in files if file.partner_id in changing]
    if not changes:
        return _typed_view(feed.feed_id, feed.all_columns, whole)
    key = ", ".join(quote_identifier(name) for name in feed.key)
    last = (
        f"select * exclude ({DELETED}) from ({_typed((*feed.all_columns, (DELETED, 'BOOLEAN')), changes, _MAYBE_DELETED)} "
        f"qualify row_number() over (partition by partner_id, {key} order by delivery_seq desc, source_row) = 1) "
        f"where not coalesce({DELETED}, false)"
    )
    both = [last, *([_typed(feed.all_columns, whole)] if whole else [])]
    return f"create or replace view lake.{quote_identifier(feed.feed_id)} as {' union all '.join(both)}"


def _typed_view(name: str, columns: Sequence[tuple[str, str]], sources: Sequence[str]) -> str:
    view = f"create or replace view lake.{quote_identifier(name)} as "
    if not sources:
        empty = ", ".join(f"null::{kind} as {quote_identifier(column)}" for column, kind in columns)
        return f"{view}select {empty} where false"
    return view + _typed(columns, sources)


def _typed(columns: Sequence[tuple[str, str]], sources: Sequence[str], more: str = "") -> str:
    listed = ", ".join(sql_literal(source) for source in sources)
    chosen = ", ".join(
        f"{quote_identifier(column)}::{kind} as {quote_identifier(column)}" for column, kind in columns
    )
    return f"select {chosen} from (from read_parquet([{listed}], union_by_name = true) {more})"
