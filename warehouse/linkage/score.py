"""Pass 1: pairs scored by Splink with the model, brought together by source person.

What belongs here: prediction. What does not: training, and what a score leads to.
"""

from __future__ import annotations

import copy

import duckdb
from splink import Linker

from warehouse.linkage.comparisons import FIRST_FORMS
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.guard import SECOND_LOOK_SQL
from warehouse.linkage.model import LinkageModel, register

# Pairs below this probability are forgotten; what lies between it and T_review feeds the estimate of recall.
_KEEP = 0.02


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


def score(
    con: duckdb.DuckDBPyConnection, config: LinkageConfig, model: LinkageModel, *, families: bool
) -> None:
    """Make temp table `scored_edge`: one row a pair of source persons that the model finds possible.

    Columns: left_node < right_node, weight (log2), probability, is_guarded, first_level, dob_level, last_level.

    Args:
        con: connection with `link_record` (blocking keys and frequencies added) and `co_twin`.
        config: thresholds.
        model: what `train` gave.
        families: what `has_families` found; without families the first-name guard stands open.
    """
    con.execute("create or replace table scoring_record as select * from link_record")
    linker = Linker(register(con, "scoring_record"), copy.deepcopy(model.settings), log_level=None)
    predicted = linker.inference.predict(
        threshold_match_probability=min(_KEEP, config.t_review), warning_mode="never"
    )
    _by_person(con, predicted.physical_name, config, families=families)
    predicted.drop_table_from_database_and_remove_from_cache()
    con.execute("drop table scoring_record")


def _by_person(
    con: duckdb.DuckDBPyConnection, predicted: str, config: LinkageConfig, *, families: bool
) -> None:
    """Of several spellings the best pair counts, and a pair that passes the guard before one that does not.

    Names that agree only by likeness do not pass where one of the two is known to have a co-twin. In a
    population without families the guard lets all others pass.
    """
    known = "(p.node_l in (select node from co_twin) or p.node_r in (select node from co_twin))"
    certain = known.replace("from co_twin", "from co_twin where is_certain")
    open_guard = f"not {certain}" if config.guard == "measured" and not families else "false"
    con.execute(
        f"""create or replace temp table scored_edge as
        with pair as (
            select least(p.node_l, p.node_r) as left_node, greatest(p.node_l, p.node_r) as right_node,
                p.match_weight as weight, p.match_probability as probability,
                p.gamma_first as first_level, p.gamma_last as last_level, p.gamma_dob as dob_level,
                {open_guard} or p.gamma_first >= {FIRST_FORMS + 1} or (p.gamma_first > 0 and p.gamma_sex <> 0 and (
                    p.gamma_first = {FIRST_FORMS} or not {known})) as is_guarded
            from {predicted} as p
        )
        select left_node, right_node, arg_max(struct_pack(weight, probability, is_guarded, first_level, last_level,
                dob_level), (is_guarded and probability >= {config.t_auto}, weight)) as best
        from pair group by 1, 2"""
    )
    con.execute(
        "create or replace temp table scored_edge as select left_node, right_node, unnest(best) from scored_edge"
    )
    _second_look(con, config)


def _second_look(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    """Let pairs pass that score high and whose first names agree on closer look.

    Not where a co-twin known beside one of the two has a name that is about as near to the other's.
    """
    con.execute(
        f"""update scored_edge as e set is_guarded = true from (
            select distinct s.left_node, s.right_node from scored_edge as s
            join link_record as l on l.node = s.left_node join link_record as r on r.node = s.right_node
            where s.probability >= {config.t_auto} and not s.is_guarded and {SECOND_LOOK_SQL}
              and not exists (
                from co_twin as t where t.node = l.node and {_nearer("r", "l")})
              and not exists (
                from co_twin as t where t.node = r.node and {_nearer("l", "r")})
        ) as x where x.left_node = e.left_node and x.right_node = e.right_node"""
    )


def _nearer(other: str, own: str) -> str:
    to_twin = f"jaro_winkler_similarity(t.twin_first, {other}.first_flat)"
    to_own = f"jaro_winkler_similarity({own}.first_flat, {other}.first_flat)"
    return f"({to_twin} >= 0.85 or {to_twin} > {to_own} - 0.1)"
