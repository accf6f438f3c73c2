"""Drops that hold changes only: laid over the drops before them, so that what is read is a whole again.

What belongs here: which parts are changes, and the whole that they lead to. What does not: joining parts (`joined`), and
where earlier drops are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import duckdb

from ingestion.readers.model import (
    ChangedParts,
    ReadHints,
    ReadResult,
    Request,
    TablePart,
    UnreadableFileError,
    warning,
)
from warehouse.duck import quote_identifier, sql_literal

_MANIFEST = "changes_manifest"
_EARLIER = "earlier_part"
# A drop without a word on its parts is a whole.
_ABSENT = ("no_member", "no_records")
ReadPart = Callable[[Request, duckdb.DuckDBPyConnection, str, TablePart], ReadResult]


@dataclass(frozen=True)
class Changes:
    """What a drop of changes says of itself.

    Attributes:
        rule: how changes are told and laid over.
        words: by listed name, what a part is.
    """

    rule: ChangedParts
    words: dict[str, str]

    def of(self, part: TablePart) -> str:
        """What the drop says of a part; empty where it says nothing."""
        stem = PurePosixPath(part.member or "").stem
        return self.words.get(self.rule.listed.replace("{}", stem).lower(), "")

    def lacks(self, part: TablePart) -> bool:
        """Whether the drop does not hold the part, which then stands as it was."""
        return self.of(part) in ("", self.rule.absent)


def changes_of(request: Request) -> Changes | None:
    """What a drop says, if any of its files holds changes only; None for a whole one."""
    found = _said(request, request.path)
    return found if found is not None and found.rule.changes in found.words.values() else None


def lay_over(
    request: Request, inside: duckdb.DuckDBPyConnection, changes: Changes, read_part: ReadPart
) -> dict[str, str]:
    """Complete the parts of a drop of changes with those of the drops before it; says how many it took.

    Raises:
        UnreadableFileError: neither it nor an earlier drop holds a part.
    """
    tables = request.hints.tables
    open_parts = {
        name
        for name, part in tables.items()
        if changes.of(part) == changes.rule.changes or changes.lacks(part)
    }
    touched, age = sorted(open_parts), 0
    held = {name for name, part in tables.items() if part.optional or not changes.lacks(part)}
    for name in touched:
        inside.execute(f"alter table {quote_identifier(name)} add column _age integer default 0")
    for path in request.earlier() if request.earlier is not None else ():
        age += 1
        before = _said(request, path) or replace(changes, words={})
        for name in sorted(open_parts):
            part = tables[name]
            word = before.of(part)
            if word != before.rule.absent:
                optional = part.model_copy(update={"optional": True})
                read_part(replace(request, path=path), inside, _EARLIER, optional)
                _put_under(inside, name, age)
                held.add(name)
            if word not in (before.rule.absent, before.rule.changes):
                open_parts.discard(name)
        if not open_parts:
            break
    missing = sorted(tables.keys() - held)
    if missing:
        raise UnreadableFileError(
            "changes_without_whole",
            f"It holds changes only, and no earlier delivery in force holds {', '.join(missing)}.",
            "Send a whole export (bulk) first; changes can follow it.",
        )
    for name in touched:
        _collapse(inside, name, changes.rule)
    if open_parts - {name for name, part in tables.items() if part.optional}:
        # Some systems call all that they send changes, also the first time.
        why = f"It holds changes only ({changes.rule.changes}), and no whole export came before it; it counts as one."
        return warning("changes_laid_over", why, "Send a whole export (bulk) if anything is missing.")
    why = f"It holds changes only ({changes.rule.changes}); they were laid over {age:,} earlier deliveries."
    return warning("changes_laid_over", why, severity="note")


def _said(request: Request, path: Path) -> Changes | None:
    """What the manifest says, or None where there is none."""
    from ingestion.readers.formats import read_request

    rule = request.hints.changes
    if rule is None:
        return None
    hints = ReadHints(format="delimited", member=rule.member, header_rows=1)
    try:
        read_request(replace(request, path=path, relation=_MANIFEST, hints=hints, expected=frozenset()))
    except UnreadableFileError as error:
        if error.code not in _ABSENT:
            raise
        return None
    name, value = quote_identifier(rule.name), quote_identifier(rule.value)
    try:
        rows = request.con.execute(
            f"select lower(trim({name})), lower(trim({value})) from {_MANIFEST}"
        ).fetchall()
    except duckdb.BinderException:
        return None
    finally:
        request.con.execute(f"drop table if exists {_MANIFEST}")
    return Changes(rule, {str(name): str(value or "") for name, value in rows})


def _put_under(inside: duckdb.DuckDBPyConnection, name: str, age: int) -> None:
    """Add the rows of an earlier part to those of the later ones, with how old they are."""
    there = set(_columns(inside, name))
    for column in _columns(inside, _EARLIER):
        if column not in there:
            inside.execute(
                f"alter table {quote_identifier(name)} add column {quote_identifier(column)} varchar"
            )
    inside.execute(f"insert into {quote_identifier(name)} by name select *, {age} as _age from {_EARLIER}")
    inside.execute(f"drop table {_EARLIER}")


def _collapse(inside: duckdb.DuckDBPyConnection, name: str, rule: ChangedParts) -> None:
    """Keep the latest row of each key, unless it takes the key out."""
    table, key = quote_identifier(name), quote_identifier(rule.key)
    # Several rows of one key are expected: each drop may say it anew, and a drop may say it twice.
    inside.execute(
        f"create or replace table {table} as select * exclude (_age) from (from {table} qualify row_number() over "
        f"(partition by {key} order by _age, _record desc) = 1) where not coalesce(({rule.deleted}), false)"
    )


def _columns(inside: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
    return (row[1].lower() for row in inside.execute(f"pragma table_info({sql_literal(table)})").fetchall())
