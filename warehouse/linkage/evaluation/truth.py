"""Which records truly are one person, from whatever layout the truth comes in.

What belongs here: pairs of ids, or an id beside the person it belongs to, in a file of its own or in the data. What
does not: judging links.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from warehouse import duck
from warehouse.linkage.cluster import components
from warehouse.linkage.evaluation.files import read_table
from warehouse.linkage.evaluation.mapping import EvaluationInputError

# A column is one of ids when at least this share of its values are; a header row or a few strangers do no harm.
_MOST = 0.5
_NO = "('0', '0.0', 'false', 'no', 'f', 'n', 'non-match', 'non_match', 'nonmatch')"


@dataclass(frozen=True)
class _Column:
    """A column of the truth: how many rows and values it has, and how many of its values each file knows as ids."""

    name: str
    rows: int
    values: int
    left: int
    right: int

    def share(self, side: str) -> float:
        return getattr(self, side) / self.values if self.values else 0.0

    @property
    def is_id(self) -> bool:
        """Whether most of its values are ids, of either file: a list of persons has those of both in one column."""
        return self.share("left") + self.share("right") >= _MOST


def load_truth(con: duckdb.DuckDBPyConnection, file: Path | None, files: dict[str, Path]) -> int:
    """Make temp table `true_pair` (a, b): pairs of records of one person, closed under "the same person".

    Without a file, `person_of` (filled where a column of the data says who each record is) is the truth. Pairs are
    across the two files, or within the one.

    Returns:
        Number of ids in the truth that no file has.

    Raises:
        EvaluationInputError: no pair of the truth names two records of the files.
    """
    unknown = 0
    if file:
        _known_ids(con)
        unknown = _read_links(con, file, files)
    else:
        _links_of_persons(con)
    _close(con, two=len(files) > 1)
    if not con.execute("select 1 from true_pair limit 1").fetchone():
        raise EvaluationInputError(
            f"{file or 'The data'}: no pair of it names two records of the files. Are its ids those mapped as 'id'? "
            "A truth is a list of pairs of ids, or of ids each beside its person."
        )
    return unknown


def _known_ids(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `known`: each record's id as given, and without what tools add or drop (leading zeros, '.0')."""
    con.execute(
        f"""create or replace temp table known as
        select distinct source_person_key as node, partner_id as side, {_bare("id")} as bare, id from (
            select source_person_key, partner_id, substr(source_person_key, length(partner_id) + 2) as id
            from vault.identifier_record)"""
    )
    row = con.execute(
        "select count(*) from (select side, bare from known group by all having count(*) > 1)"
    ).fetchone()
    if row and row[0]:  # zeros in front tell these ids apart, so they count
        con.execute("update known set bare = id")


def _bare(text: str) -> str:
    return f"coalesce(nullif(ltrim(regexp_replace({text}, '\\.0+$', ''), '0'), ''), '0')"


def _read_links(con: duckdb.DuckDBPyConnection, file: Path, files: dict[str, Path]) -> int:
    """Temp table `truth_link` (a, b) from a file; returns its ids that no record has."""
    names = read_table(con, file, "truth_row", header=False)
    if len(names) < 2:
        raise EvaluationInputError(f"{file}: a truth has two columns: two ids, or an id and its person.")
    columns = [_describe(con, name) for name in names]
    ids = [column for column in columns if column.is_id]
    two = len(files) > 1
    first, second = _pair_of(ids, two=two)
    if first and second and not (not two and _is_labelling(con, first, second)):
        _links_of_pairs(con, columns, first, second, two=two)
        return _strangers(con, first, "left") + _strangers(con, second, "right" if two else "left")
    if not ids:
        raise EvaluationInputError(
            f"{file}: none of its columns holds ids of the records. Are its ids those mapped as 'id'?"
        )
    return _links_of_clusters(con, columns, first or ids[0], files)


def _describe(con: duckdb.DuckDBPyConnection, name: str) -> _Column:
    column = duck.quote_identifier(name)
    counts = [
        f"count(distinct v) filter (v in (select id from known where side = '{side}') "
        f"or {_bare('v')} in (select bare from known where side = '{side}'))"
        for side in ("left", "right")
    ]
    row = con.execute(
        f"select count(v), count(distinct v), {', '.join(counts)} from (select trim({column}) as v from truth_row)"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return _Column(name, *(int(n) for n in row))


def _pair_of(ids: list[_Column], *, two: bool) -> tuple[_Column | None, _Column | None]:
    """The column of the first file's ids and that of the second's, whichever comes first in the truth."""
    if len(ids) < 2:
        return (ids[0] if ids else None), None
    if not two:
        return ids[0], ids[1]
    pairs = [(one, other) for one in ids for other in ids if one is not other]
    best = max(pairs, key=lambda p: min(p[0].share("left"), p[1].share("right")))
    if min(best[0].share("left"), best[1].share("right")) < _MOST:
        return ids[0], None
    return best


def _is_labelling(con: duckdb.DuckDBPyConnection, first: _Column, second: _Column) -> bool:
    """Whether two columns that look like ids are an id and its person: every record stands there exactly once."""
    row = con.execute("select count(distinct node) from known").fetchone()
    records = int(row[0]) if row else 0
    return first.values >= first.rows - 1 and first.values >= 0.9 * records and second.values < second.rows


def _links_of_pairs(
    con: duckdb.DuckDBPyConnection, columns: list[_Column], first: _Column, second: _Column, *, two: bool
) -> None:
    rest = [column for column in columns if column not in (first, second)]
    label = next((column for column in rest if 0 < column.values <= 3 and _is_label(con, column.name)), None)
    keep = (
        f"where lower(coalesce(trim({duck.quote_identifier(label.name)}), '1')) not in {_NO}" if label else ""
    )
    a, b = duck.quote_identifier(first.name), duck.quote_identifier(second.name)
    con.execute(
        f"""create or replace temp table truth_link as
        select l.node as a, r.node as b from (select trim({a}) as a, trim({b}) as b from truth_row {keep}) as p
        join known as l on l.side = 'left' and {_is_id("l", "p.a")}
        join known as r on r.side = '{"right" if two else "left"}' and {_is_id("r", "p.b")}"""
    )


def _is_label(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a column says yes or no."""
    column = duck.quote_identifier(name)
    yes = "('1', '1.0', 'true', 'yes', 't', 'y', 'match')"
    row = con.execute(
        f"""select count(*) filter (v in {_NO}), count(*) filter (v in {_NO} or v in {yes}), count(*)
        from (select lower(trim({column})) as v from truth_row where {column} is not null)"""
    ).fetchone()
    return bool(row and row[0] and row[1] >= row[2] - 1)


def _is_id(known: str, value: str) -> str:
    return f"{known}.bare = case when {known}.bare = {known}.id then {value} else {_bare(value)} end"


def _links_of_clusters(
    con: duckdb.DuckDBPyConnection, columns: list[_Column], ids: _Column, files: dict[str, Path]
) -> int:
    """Links from ids beside their person; a column that names the file tells equal ids of two files apart."""
    rest = [column for column in columns if column is not ids]
    source = next((c for c in rest if len(files) > 1 and 2 <= c.values <= 3 and c.rows > 5), None)
    rest = [column for column in rest if column is not source]
    if not rest:
        raise EvaluationInputError(
            "The truth has ids of records, but no second id and no person beside them."
        )
    person = duck.quote_identifier(max(rest, key=lambda c: (0 < c.values <= ids.values, c.rows)).name)
    where = _side_condition(con, source.name, files) if source else "true"
    con.execute(
        f"""insert into person_of select distinct k.node, trim(t.{person})
        from truth_row as t join known as k on {_is_id("k", f"trim(t.{duck.quote_identifier(ids.name)})")}
        where {where} and t.{person} is not null"""
    )
    _links_of_persons(con)
    return _strangers(con, ids, "left", "right")


def _side_condition(con: duckdb.DuckDBPyConnection, column: str, files: dict[str, Path]) -> str:
    """SQL: the row's file is the record's, by the file's name or, failing that, the order in which files appear."""
    quoted = duck.quote_identifier(column)
    values = [
        str(row[0])
        for row in con.execute(
            f"select trim({quoted}), min(rowid) from truth_row where {quoted} is not null group by 1 having count(*) > 1 order by 2"
        ).fetchall()
    ]
    cases = []
    for place, value in enumerate(values):
        named = [
            side
            for side, file in files.items()
            if value.lower() in (side, file.stem.lower(), file.name.lower())
        ]
        side = named[0] if named else list(files)[min(place, 1)]
        cases.append(f"(trim(t.{quoted}) = {duck.sql_literal(value)} and k.side = '{side}')")
    return f"({' or '.join(cases) or 'true'})"


def _links_of_persons(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """create or replace temp table truth_link as
        select first_value(node) over (partition by person order by node) as a, node as b from person_of"""
    )


def _strangers(con: duckdb.DuckDBPyConnection, column: _Column, *sides: str) -> int:
    """Ids of the truth that no file has; the header, where there is one, is not counted."""
    missing = column.values - min(column.values, sum(getattr(column, side) for side in sides))
    first = con.execute(
        f"select trim({duck.quote_identifier(column.name)}) from truth_row limit 1"
    ).fetchone()
    known = con.execute(
        "select 1 from known where id = $v or bare = $v", {"v": first[0] if first else None}
    ).fetchone()
    return max(0, missing - (0 if known else 1))


def _close(con: duckdb.DuckDBPyConnection, *, two: bool) -> None:
    """Temp table `true_pair`: all pairs of records that the links, taken together, make one person."""
    con.execute(
        """create or replace temp table truth_node as
        select node, row_number() over (order by node) - 1 as n from (select a as node from truth_link union select b from truth_link)"""
    )
    links = con.execute(
        """select l.n as a, r.n as b from truth_link as t join truth_node as l on l.node = t.a join truth_node as r on r.node = t.b"""
    ).fetch_arrow_table()
    size = con.execute("select count(*) from truth_node").fetchone()
    ends = [links[name].to_numpy().astype(np.int64) for name in ("a", "b")]
    label = components(int(size[0]) if size else 0, *ends)
    con.register("truth_label", pa.table({"n": np.arange(len(label)), "label": label}))
    across = "and left(l.node, 5) <> left(r.node, 5)" if two else ""
    con.execute(
        f"""create or replace temp table true_pair as
        with labelled as (select node, label from truth_node join truth_label using (n))
        select l.node as a, r.node as b from labelled as l join labelled as r using (label)
        where l.node < r.node {across}"""
    )
    con.unregister("truth_label")
