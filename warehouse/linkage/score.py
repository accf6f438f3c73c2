"""Pass 1: pairs scored by Splink with the model, brought together by source person.

What belongs here: prediction. What does not: training, and what a score leads to.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import duckdb
from splink import Linker

from warehouse.linkage.blocking import key_pairs
from warehouse.linkage.comparisons import FIRST_FORMS, SAME_BIRTH, SAME_ID, SAME_INITIAL
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.model import LinkageModel, register, register_all
from warehouse.linkage.on_spark import score_all_on_spark

# Pairs below this probability are forgotten; what lies between it and T_review feeds the estimate of recall.
_KEEP = 0.02
# Records whose pairs are made and scored at one time.
_PART = 500_000


def frequencies(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `name_frequency`: share of source persons that carry a name, as `tf_` columns want it."""
    con.execute(
        """create or replace temp table name_frequency as
        with one as (select distinct node, first_flat, last_flat from link_record)
        select 'first' as part, first_flat as name, count(*) / sum(count(*)) over () as tf
        from one where first_flat is not null group by 1, 2
        union all
        select 'last', last_flat, count(*) / sum(count(*)) over () from one where last_flat is not null group by 1, 2"""
    )


def add_frequencies(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Add tf_first_flat and tf_last_flat to a table of records."""
    con.execute(
        f"""create or replace temp table {table} as
        select r.*, coalesce(f.tf, 1e-6) as tf_first_flat, coalesce(l.tf, 1e-6) as tf_last_flat
        from {table} as r
        left join name_frequency as f on f.part = 'first' and f.name = r.first_flat
        left join name_frequency as l on l.part = 'last' and l.name = r.last_flat"""
    )


def score_all(con: duckdb.DuckDBPyConnection, model: LinkageModel, config: LinkageConfig) -> None:
    """Make temp table `link_edge` from all pairs of `link_record` that share a blocking key.

    One row a pair of source persons that the model finds possible: left_node < right_node, and the best match
    weight (log2 odds) over all spellings (weight_any), over those whose first names agree at least in likeness
    (weight_alike), over those that agree as names (weight_agree), and over those that have no first name to compare
    but agree in middle name, birth date and surname (weight_middle); null where there is none.

    Raises:
        SparkMissingError: Spark is asked for and cannot be used.
    """
    if config.backend == "spark":
        score_all_on_spark(con, model, config, _by_person_of(model), _KEEP)
        return
    # Numbers in the place of long keys: pairs are what there are most of.
    con.execute(
        """create or replace table scoring_record as
        select r.* replace (n.n as node, row_number() over () as unique_id) from link_record as r join node as n using (node)"""
    )
    linker = Linker(register(con, "scoring_record"), copy.deepcopy(model.settings), log_level=None)
    _score_in_parts(con, linker, _by_person_of(model))
    linker.table_management.delete_tables_created_by_splink_from_db()
    con.execute("drop table scoring_record")


def _score_in_parts(
    con: duckdb.DuckDBPyConnection, linker: Linker, by_person: Callable[[list[str]], str]
) -> None:
    """Make `link_edge` from a part of the records against all others at a time.

    Pairs grow faster than records do; what Splink writes down of them at one moment stays bounded.
    """
    row = con.execute("select count(*) from scoring_record").fetchone()
    parts = 1 + (int(row[0]) if row else 0) // _PART
    for part in range(1, parts + 1):
        predicted = linker.inference.predict_chunk(
            left_chunk=(part, parts), threshold_match_probability=_KEEP, warning_mode="never"
        )
        into = "create or replace temp table scored_pair as" if part == 1 else "insert into scored_pair"
        con.execute(f"{into} {by_person([predicted.physical_name])}")
        predicted.drop_table_from_database_and_remove_from_cache()
    best = ", ".join(f"max(weight_{of}) as weight_{of}" for of in ("any", "alike", "agree", "middle"))
    con.execute(
        f"""create or replace temp table link_edge as
        select l.node as left_node, r.node as right_node, p.* exclude (left_node, right_node)
        from (select left_node, right_node, {best} from scored_pair group by all) as p
        join node as l on l.n = p.left_node join node as r on r.n = p.right_node"""
    )
    con.execute("drop table scored_pair")


def score_changed(con: duckdb.DuckDBPyConnection, model: LinkageModel) -> None:
    """Make temp table `new_edge`, as `link_edge`, from pairs with at least one record in `changed_node`.

    Of all other records only those take part that share a blocking key with a changed one, so the cost follows the change.
    (Splink's predict_within and predict_between do not take term frequencies that stand in the records; predict does.)
    """
    con.execute(
        """create or replace table scoring_record as
        select * from link_record where node in (select node from changed_node)"""
    )
    shared = " union ".join(
        f"select rowid from link_record where {right} in (select {left} from scoring_record where {left} is not null)"
        for left, right in key_pairs()
    )
    con.execute(
        f"""create or replace table scoring_other as select * from link_record
        where rowid in ({shared}) and node not in (select node from changed_node)"""
    )
    new, other = register_all(con, "scoring_record", "scoring_other")
    linkers = [Linker(new, copy.deepcopy(model.settings), log_level=None)]
    if con.execute("select 1 from scoring_other limit 1").fetchone():
        between = copy.deepcopy(model.settings) | {"link_type": "link_only"}
        linkers.append(Linker([new, other], between, log_level=None))
    found = [
        one.inference.predict(threshold_match_probability=_KEEP, warning_mode="never").physical_name
        for one in linkers
    ]
    con.execute(f"create or replace temp table new_edge as {_by_person_of(model)(found)}")
    for one in linkers:
        one.table_management.delete_tables_created_by_splink_from_db()
    con.execute("drop table scoring_record")
    con.execute("drop table scoring_other")


def no_edges(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """An empty table of the shape of `link_edge`."""
    con.execute(
        f"""create or replace temp table {table} (left_node text, right_node text, weight_any double,
        weight_alike double, weight_agree double, weight_middle double)"""
    )


def _by_person(predicted: list[str], *, families: bool) -> str:
    """SQL that brings the scores of spellings together by pair of source persons.

    Among families, a name however rare does not link people whose birth dates have nothing in common: only the same
    id beside it does, since fathers and sons, and whoever is called after whom, share a household too. (Where people
    are unrelated the score alone decides, by `weight_any`.)
    """
    born = f"(gamma_dob <> 0 or gamma_shared_id = {SAME_ID})"
    agree = f"({born} and (gamma_first > {FIRST_FORMS} or (gamma_first = {FIRST_FORMS} and gamma_sex <> 0)))"
    alike = f"({agree} or ({born} and gamma_first > 0 and gamma_sex <> 0))"
    unnamed = (
        "(gamma_first = -1 or (gamma_first = 0 and (length(first_flat_l) = 1 or length(first_flat_r) = 1)))"
    )
    middle = (
        f"({unnamed} and gamma_middle >= {SAME_INITIAL} and gamma_dob = {SAME_BIRTH} and gamma_last <> 0 "
        "and gamma_sex <> 0)"
    )
    columns = (
        "node_l, node_r, match_weight, gamma_first, gamma_last, gamma_middle, gamma_sex, gamma_dob, gamma_shared_id, "
        "first_flat_l, first_flat_r"
    )
    columns += ", gamma_household" if families else ""
    union = " union all ".join(f"select {columns} from {table}" for table in predicted)
    return f"""select least(node_l, node_r) as left_node, greatest(node_l, node_r) as right_node,
            max(match_weight) as weight_any, max(match_weight) filter (where {alike}) as weight_alike,
            max(match_weight) filter (where {agree}) as weight_agree, max(match_weight) filter (where {middle}) as weight_middle
        from ({union}) group by 1, 2"""


def _by_person_of(model: LinkageModel) -> Callable[[list[str]], str]:
    has_household = any(c["output_column_name"] == "household" for c in model.settings["comparisons"])
    return partial(_by_person, families=has_household)
