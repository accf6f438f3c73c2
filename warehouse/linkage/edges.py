"""From scores and rules to pairs with the guard's verdict, judged each night by what is known then.

What belongs here: which score of a pair counts, and whether its first names agree. What does not: thresholds for
review, clustering.
"""

from __future__ import annotations

import duckdb

from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.guard import SECOND_LOOK_SQL


def judge_edges(con: duckdb.DuckDBPyConnection, config: LinkageConfig, *, families: bool) -> None:
    """Make temp table `pair_edge` from `link_edge`, `rule_edge` and `co_twin` (columns: see `decide`).

    Names that agree only by likeness, and middle names in place of missing first names, do not pass where one of the
    two is known to have a co-twin. In a population without families the guard lets all others pass. A rule's link stands above any score.
    """
    con.execute(
        f"""create or replace temp table scored_edge as
        with known as (select node, bool_or(is_certain) as is_certain from co_twin group by 1),
        judged as (
            select e.left_node, e.right_node, e.weight_any,
                case when {_open(config, families)} then e.weight_any
                    when l.node is not null or r.node is not null then e.weight_agree
                    else greatest(e.weight_alike, e.weight_middle) end as weight_guarded
            from link_edge as e left join known as l on l.node = e.left_node left join known as r on r.node = e.right_node
        )
        select left_node, right_node, coalesce({_odds("weight_guarded")} >= {config.t_auto}, false) as is_guarded,
            case when is_guarded then weight_guarded else weight_any end as weight,
            {_odds("weight")} as probability
        from judged"""
    )
    _second_look(con, config)
    con.execute(
        """create or replace temp table pair_edge as
        select coalesce(s.left_node, r.left_node) as left_node, coalesce(s.right_node, r.right_node) as right_node,
            coalesce(s.weight, 0) + coalesce(r.weight, 0) as weight,
            case when r.rule is not null then 1.0 else s.probability end as probability,
            r.rule is not null or s.is_guarded as is_guarded,
            case when r.rule is not null then 'deterministic' else 'probabilistic' end as stage, r.rule
        from scored_edge as s full join rule_edge as r
          on r.left_node = s.left_node and r.right_node = s.right_node"""
    )


def _odds(weight: str) -> str:
    """Probability of a match weight: 2^w / (1 + 2^w)."""
    return f"(1 / (1 + pow(2, -({weight}))))"


def _open(config: LinkageConfig, families: bool) -> str:
    if config.guard == "always" or families:
        return "false"
    return "not coalesce(l.is_certain, false) and not coalesce(r.is_certain, false)"


def _second_look(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    """Let pairs pass that score high and whose first names agree on closer look.

    Not where a co-twin known beside one of the two has a name that is about as near to the other's.
    """
    con.execute(
        f"""update scored_edge as e set is_guarded = true from (
            select distinct s.left_node, s.right_node from (
                select * from scored_edge where probability >= {config.t_auto} and not is_guarded
            ) as s
            join link_record as l on l.node = s.left_node join link_record as r on r.node = s.right_node
            where {SECOND_LOOK_SQL}
              and not exists (from co_twin as t where t.node = l.node and {_nearer("r", "l")})
              and not exists (from co_twin as t where t.node = r.node and {_nearer("l", "r")})
        ) as x where x.left_node = e.left_node and x.right_node = e.right_node"""
    )


def _nearer(other: str, own: str) -> str:
    to_twin = f"jaro_winkler_similarity(t.twin_first, {other}.first_flat)"
    to_own = f"jaro_winkler_similarity({own}.first_flat, {other}.first_flat)"
    return f"({to_twin} >= 0.85 or {to_twin} > {to_own} - 0.1)"
