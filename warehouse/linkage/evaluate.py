"""Linkage against known truth: any two files, or one, with a mapping and a list of true pairs.

What belongs here: reading them, linking as shipped, counting errors by kind. What does not: a community's vault.
Everything stays in memory (spills are encrypted); results carry counts only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from warehouse import duck
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.link import link_all
from warehouse.vault import IDENTIFIER_COLUMNS
from warehouse.vault.schema import create_tables

_ID_NAMES = ("id", "record_id", "unique_id", "person_id", "local_person_id")
_DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d-%m-%Y", "%Y/%m/%d")
# A file in which fewer records than this share name and birth date with another is taken to hold each person once.
_EXACT_DUPLICATES = 0.005


class EvaluationInputError(ValueError):
    """A file, the mapping or the list of pairs does not fit; the message says which and what is expected."""


class EvaluationMapping(BaseModel):
    """Mapping file: source column to canonical identifier (several columns of one are joined in their order)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, str] = Field(description="Source column -> identifier column of the vault, or 'id'.")
    date_format: str | None = Field(
        None, description="strptime format of the birth date; found out if absent."
    )
    one_to_one: bool | None = Field(
        None, description="Whether each file holds a person once; found out from exact duplicates if absent."
    )


@dataclass(frozen=True)
class Evaluation:
    """Result against truth; pairs across the two files, or within the one.

    Attributes:
        records: records read.
        true_pairs: pairs in the truth whose records are both in the files.
        found_pairs: pairs linked without review.
        correct_pairs: pairs both true and found.
        seconds: time for standardisation, training, scoring and decision.
        in_review: pairs that wait for a reviewer.
        false_by_kind: wrong links by kind (co_twin, sibling, other).
        missed_by_kind: true pairs not linked by kind (in_review, rejected, not_compared).
        reviewed_f1: F1 if a reviewer decided all pairs in review rightly.
        one_to_one: whether each file was taken to hold a person once.
    """

    records: int
    true_pairs: int
    found_pairs: int
    correct_pairs: int
    seconds: float
    in_review: int
    false_by_kind: dict[str, int]
    missed_by_kind: dict[str, int]
    reviewed_f1: float
    one_to_one: bool
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        """Share of found pairs that are true."""
        return self.correct_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that were found."""
        return self.correct_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def read_mapping(path: Path) -> EvaluationMapping:
    """Read a mapping file; `columns:` may be left out, and either side may come first.

    Raises:
        EvaluationInputError: not YAML, or a canonical name that does not exist.
    """
    try:
        data = dict(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {})
        options = {k: data.pop(k) for k in ("date_format", "one_to_one") if k in data}
        columns = _column_first(dict(data.get("columns", data)))
        return EvaluationMapping(columns=columns, **options)
    except (OSError, YAMLError, UnicodeDecodeError, TypeError, ValidationError) as error:
        raise EvaluationInputError(
            f"{path}: not a mapping of columns to identifiers ({type(error).__name__})."
        ) from None


def _column_first(data: dict[str, Any]) -> dict[str, str]:
    """Turn `identifier: column` and `identifier: [columns]` entries into `column: identifier`."""
    canonical = {*IDENTIFIER_COLUMNS, *_ID_NAMES}
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, str) and value in canonical:
            found[str(key)] = value
        elif str(key) in canonical:
            found |= {str(column): str(key) for column in ([value] if isinstance(value, str) else value)}
        else:
            raise EvaluationInputError(
                f"The mapping sends '{key}' to '{value}', which is no identifier. Known: {', '.join(sorted(canonical))}."
            )
    return {column: ("id" if name in _ID_NAMES else name) for column, name in found.items()}


def evaluate(
    left: Path, right: Path | None, mapping: EvaluationMapping, truth: Path, config: LinkageConfig
) -> Evaluation:
    """Link two files (or one with itself) as shipped, and compare with the true pairs.

    Raises:
        EvaluationInputError: files, mapping and pairs do not fit together.
    """
    con = duck.connect()
    try:
        con.execute("attach ':memory:' as vault")
        create_tables(con)
        files = {"left": left} | ({"right": right} if right else {})
        for side, file in files.items():
            _load(con, file, side, mapping)
        _load_truth(con, truth, two=right is not None)
        one_to_one = _one_to_one(con, mapping) if right else False
        con.execute(
            f"""create or replace temp table raw_identifier as select source_person_key, issuer_id, partner_id,
            {", ".join(IDENTIFIER_COLUMNS)}, delivery_seq from vault.identifier_record"""
        )
        clean = config.model_copy(update={"duplicate_free": list(files) if one_to_one else []})
        stages: dict[str, float] = {}
        started = time.perf_counter()
        link_all(con, clean, stages)
        seconds = time.perf_counter() - started
        return _count(con, seconds, stages, one_to_one=one_to_one, two=right is not None)
    finally:
        con.close()


def _load(con: duckdb.DuckDBPyConnection, file: Path, side: str, mapping: EvaluationMapping) -> None:
    """Read one file into the in-memory vault; ids get the side in front so that the files cannot collide."""
    try:
        con.execute(
            f"create or replace temp table given as select * from read_csv({duck.sql_literal(str(file))}, all_varchar = true, header = true)"
        )
    except duckdb.Error as error:
        raise EvaluationInputError(f"{file}: not readable as CSV ({type(error).__name__}).") from None
    there = {row[0].strip().lower(): row[0] for row in con.execute("describe given").fetchall()}
    parts: dict[str, list[str]] = {}
    for column, name in mapping.columns.items():
        if column.strip().lower() in there:
            quoted = duck.quote_identifier(there[column.strip().lower()])
            parts.setdefault(name, []).append(f"nullif(trim({quoted}), '')")
    if "id" not in parts:
        raise EvaluationInputError(
            f"{file}: the mapping names no column of it as 'id'; it has: {', '.join(there)}."
        )
    select = {
        name: cols[0] if len(cols) == 1 else f"nullif(concat_ws(' ', {', '.join(cols)}), '')"
        for name, cols in parts.items()
    }
    record_id = select.pop("id")
    if "birth_date" in select:
        select["birth_date"] = _date(con, select["birth_date"], mapping.date_format)
    columns = ", ".join(f"{sql} as {name}" for name, sql in select.items())
    con.execute(
        f"""insert into vault.identifier_record by name
        select '{side}-' || {record_id} as source_person_key, '{side}' as partner_id, '{side}' as issuer_id,
            'file' as feed_id, '{side}' as delivery_id, 1 as delivery_seq, {columns}, 1 as row_n
        from given where {record_id} is not null"""
    )


def _date(con: duckdb.DuckDBPyConnection, sql: str, given: str | None) -> str:
    """SQL for the birth date in the format given, or in the one that reads most values."""

    def parsed(fmt: str) -> str:
        return f"try_strptime({sql}, {duck.sql_literal(fmt)})::date"

    if given:
        return parsed(given)
    counts = ", ".join(f"count({parsed(fmt)})" for fmt in _DATE_FORMATS)
    row = con.execute(f"select {counts} from given").fetchone()
    assert row is not None
    return parsed(_DATE_FORMATS[max(range(len(row)), key=lambda i: (row[i], -i))])


def _load_truth(con: duckdb.DuckDBPyConnection, file: Path, *, two: bool) -> None:
    """Temp table `true_pair` from the first two columns, with or without a header; a third of 0 or false is no pair."""
    try:
        con.execute(
            f"create or replace temp table pair as select * from read_csv({duck.sql_literal(str(file))}, all_varchar = true, header = false, null_padding = true)"
        )
    except duckdb.Error as error:
        raise EvaluationInputError(f"{file}: not readable as CSV ({type(error).__name__}).") from None
    columns = [row[0] for row in con.execute("describe pair").fetchall()]
    if len(columns) < 2:
        raise EvaluationInputError(f"{file}: a list of pairs has two columns of ids.")
    label = f"and lower(coalesce({columns[2]}, '1')) not in ('0', 'false', 'no')" if len(columns) > 2 else ""
    other = "right" if two else "left"
    sides = [("left", other), (other, "left")] if two else [("left", "left")]
    joined = " union ".join(
        f"""select least(l.node, r.node) as a, greatest(l.node, r.node) as b
        from pair as p join known as l on l.node = '{one}-' || trim(p.{columns[0]})
        join known as r on r.node = '{far}-' || trim(p.{columns[1]}) where l.node <> r.node {label}"""
        for one, far in sides[:1]
    )
    con.execute(
        f"""create or replace temp table true_pair as
        with known as (select distinct source_person_key as node from vault.identifier_record) {joined}"""
    )
    row = con.execute("select count(*) from true_pair").fetchone()
    if not row or not row[0]:
        raise EvaluationInputError(
            f"{file}: no pair of it names two records of the files. Are its ids those mapped as 'id'?"
        )


def _one_to_one(con: duckdb.DuckDBPyConnection, mapping: EvaluationMapping) -> bool:
    if mapping.one_to_one is not None:
        return mapping.one_to_one
    row = con.execute(
        """select coalesce(sum(n) filter (where n > 1), 0) / nullif(sum(n), 0) from (
            select count(distinct source_person_key) as n from vault.identifier_record
            where first_name is not null and last_name is not null and birth_date is not null
            group by partner_id, lower(first_name), lower(last_name), birth_date)"""
    ).fetchone()
    return bool(row and (row[0] or 0) < _EXACT_DUPLICATES)


def _count(
    con: duckdb.DuckDBPyConnection, seconds: float, stages: dict[str, float], *, one_to_one: bool, two: bool
) -> Evaluation:
    across = "and l.partner_id <> r.partner_id" if two else ""
    con.execute(
        f"""create or replace temp table found_pair as
        select least(a.node, b.node) as a, greatest(a.node, b.node) as b
        from linked as a join linked as b using (cluster)
        join node as l on l.node = a.node join node as r on r.node = b.node
        where a.node < b.node {across}"""
    )
    records, true_n, found_n, correct_n = _row(
        con,
        """select (select count(*) from node), (select count(*) from true_pair), (select count(*) from found_pair),
        (select count(*) from found_pair join true_pair using (a, b))""",
    )
    review_n, review_true_n = _row(
        con,
        """select count(*), count(t.a) from decided_edge as d
        left join true_pair as t on t.a = d.left_node and t.b = d.right_node
        where d.outcome = 'review' and (d.left_node, d.right_node) not in (select (a, b) from found_pair)""",
    )
    reviewed = correct_n + review_true_n
    reviewed_f1 = 2 * reviewed / (found_n + review_true_n + true_n) if true_n else 1.0
    return Evaluation(
        records, true_n, found_n, correct_n, round(seconds, 2), review_n, _false_kinds(con), _missed_kinds(con),
        reviewed_f1, one_to_one, stages,
    )  # fmt: skip


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = con.execute(sql).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)


def _false_kinds(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(
        con.execute(
            """with kind as (
                select f.a, f.b, bool_or(family and l.dob = r.dob and l.first_flat is distinct from r.first_flat) as twin,
                    bool_or(family and l.dob is distinct from r.dob) as sibling
                from (select a, b from found_pair except select a, b from true_pair) as f
                join link_record as l on l.node = f.a join link_record as r on r.node = f.b,
                lateral (select coalesce(l.last_flat = r.last_flat or list_has_any(l.last_tokens, r.last_tokens)
                    or l.street = r.street, false) as family)
                group by 1, 2
            )
            select case when twin then 'co_twin' when sibling then 'sibling' else 'other' end, count(*)
            from kind group by 1 order by 1"""
        ).fetchall()
    )


def _missed_kinds(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(
        con.execute(
            """select case when d.outcome = 'review' then 'in_review: ' || d.reason when d.outcome is null then 'not_compared'
                else 'rejected: ' || d.reason end, count(*)
            from (select a, b from true_pair except select a, b from found_pair) as t
            left join decided_edge as d on d.left_node = t.a and d.right_node = t.b group by 1 order by 1"""
        ).fetchall()
    )
