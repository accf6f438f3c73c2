"""Linking files with known truth as shipped, and counting what came out.

What belongs here: the run and the counts. What does not: reading files and truth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import duckdb

from warehouse import duck
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.evaluation.files import load_file
from warehouse.linkage.evaluation.mapping import EvaluationInputError, EvaluationMapping, Side
from warehouse.linkage.evaluation.truth import load_truth
from warehouse.linkage.link import link_all
from warehouse.vault import IDENTIFIER_COLUMNS
from warehouse.vault.schema import create_tables

# A file in which fewer records than this share name and birth date with another is taken to hold each person once.
_EXACT_DUPLICATES = 0.005


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
        one_to_one: whether each file was taken to hold a person once, by side.
        unknown_ids: ids of the truth that no file has; their pairs are left out.
        stages: seconds by stage.
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
    one_to_one: dict[str, bool]
    unknown_ids: int = 0
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


def evaluate(
    left: Path,
    right: Path | None,
    mapping: EvaluationMapping | None,
    truth: Path | None,
    config: LinkageConfig,
    errors: Path | None = None,
) -> Evaluation:
    """Link two files (or one with itself) as shipped, and compare with the true pairs.

    Args:
        left: delimited text with a header.
        right: a second file, or None.
        mapping: which column is what; None to go by the header.
        truth: true pairs or persons; None where a column of the data says who each record is.
        config: as shipped, or as a community has it.
        errors: where to list wrong and missed pairs by the files' own ids.

    Raises:
        EvaluationInputError: files, mapping and truth do not fit together.
    """
    con = duck.connect()
    try:
        _prepare(con)
        files = {"left": left} | ({"right": right} if right else {})
        named = [load_file(con, file, cast(Side, side), mapping) for side, file in files.items()]
        if truth is None and not all(named):
            raise EvaluationInputError(
                "Give a file of true pairs, or map the column that says who each record is as 'true_person'."
            )
        unknown = load_truth(con, truth, files)
        once = {side: len(files) > 1 and _holds_once(con, cast(Side, side), mapping) for side in files}
        _raw_identifiers(con)
        clean = config.model_copy(update={"duplicate_free": [side for side, free in once.items() if free]})
        stages: dict[str, float] = {}
        started = time.perf_counter()
        link_all(con, clean, stages)
        seconds = time.perf_counter() - started
        _found_pairs(con, two=right is not None)
        if errors:
            _list_errors(con, errors)
        return _count(con, seconds, stages, once, unknown)
    finally:
        con.close()


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("attach ':memory:' as vault")
    create_tables(con)
    con.execute("create temp table birth_year_of (node text, birth_year integer)")
    con.execute("create temp table person_of (node text, person text)")


def _raw_identifiers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""create or replace temp table raw_identifier as
        select distinct source_person_key, issuer_id, partner_id, {", ".join(IDENTIFIER_COLUMNS)}, delivery_seq,
            y.birth_year
        from vault.identifier_record as r left join birth_year_of as y on y.node = r.source_person_key"""
    )


def _holds_once(con: duckdb.DuckDBPyConnection, side: Side, mapping: EvaluationMapping | None) -> bool:
    """Whether a file holds each person once: said, or seen from how few records are equal in name and birth date (or address).

    Equal by chance, as common names are in large files, does not count.
    """
    said = mapping.once(side) if mapping else None
    if said is not None:
        return said
    con.execute(
        """create or replace temp table one_file as
        select lower(r.first_name) as first, lower(r.last_name) as last, left(lower(r.middle_name), 1) as middle,
            lower(r.name_suffix) as suffix, left(lower(r.sex), 1) as sex, lower(r.street_address) as street,
            coalesce(r.birth_date::text, y.birth_year::text || coalesce(lower(r.street_address), ''), lower(r.street_address)) as anchor
        from vault.identifier_record as r left join birth_year_of as y on y.node = r.source_person_key
        where r.partner_id = $side and r.first_name is not null and r.last_name is not null""",
        {"side": side},
    )
    equal, known = _row(
        con,
        f"""select coalesce(sum(n - 1), 0), (select count(*) from one_file) from (
            select count(*) - least(count(*) - 1, {_APART}) as n from one_file group by first, last, anchor
        )""",
    )
    return bool(known) and equal - _chance(con) < _EXACT_DUPLICATES * known


# Of records equal in name and anchor, those that differ in what else tells two people apart.
_APART = "greatest(count(distinct middle), count(distinct suffix), count(distinct sex), 1) - 1"


def _chance(con: duckdb.DuckDBPyConnection) -> float:
    """Pairs of different people expected to be equal in name and anchor, were each drawn by itself."""
    share = " * ".join(
        f"(select coalesce(sum(pow(n / total, 2)), 1) from (select count(*) as n, sum(count(*)) over () as total "
        f"from one_file where {name} is not null group by {name}))"
        for name in ("first", "last", "anchor")
    )
    row = con.execute(f"select pow(count(*), 2) / 2 * {share} from one_file").fetchone()
    return float(row[0] or 0) if row else 0.0


def _found_pairs(con: duckdb.DuckDBPyConnection, *, two: bool) -> None:
    """Temp table `found_pair`: pairs that are one person by the linkage."""
    across = "and l.partner_id <> r.partner_id" if two else ""
    con.execute(
        f"""create or replace temp table found_pair as
        select least(a.node, b.node) as a, greatest(a.node, b.node) as b
        from linked as a join linked as b using (cluster)
        join node as l on l.node = a.node join node as r on r.node = b.node
        where a.node < b.node {across}"""
    )


def _count(
    con: duckdb.DuckDBPyConnection,
    seconds: float,
    stages: dict[str, float],
    once: dict[str, bool],
    unknown: int,
) -> Evaluation:
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
        reviewed_f1, once, unknown, stages,
    )  # fmt: skip


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = con.execute(sql).fetchone()
    assert row is not None  # noqa: S101 - asked for aggregates only
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


def _list_errors(con: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Wrong and missed pairs with the reason, by the files' own ids; for the eyes of who has the files."""
    told = "coalesce(d.outcome || ': ' || d.reason, 'not compared')"
    con.execute(
        f"""copy (
            select kind, substr(a, strpos(a, '-') + 1) as left_id, substr(b, strpos(b, '-') + 1) as right_id,
                {told} as outcome, round(d.probability, 4) as probability
            from (
                select 'false' as kind, * from (select a, b from found_pair except select a, b from true_pair)
                union all
                select 'missed', * from (select a, b from true_pair except select a, b from found_pair)
            ) as e left join decided_edge as d on d.left_node = a and d.right_node = b order by all
        ) to {duck.sql_literal(str(target))} (header)"""
    )
