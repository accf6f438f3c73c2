"""From scored pairs to decisions: link, review or reject, and then to clusters.

What belongs here: thresholds, guard, reviewers' decisions, one-to-one. What does not: scores.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from warehouse.linkage.cluster import resolve
from warehouse.linkage.config import LinkageConfig

FORCED_WEIGHT = 200.0


def decide(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    """Make temp tables `decided_edge` and `linked` from `pair_edge` and the reviewers' decisions.

    `pair_edge` has one row a pair of source persons: left_node < right_node, weight (log2), probability,
    is_guarded, stage, rule. `decided_edge` adds outcome ('link', 'review', 'reject') and reason.
    `linked` has one row a source person: node, cluster, link_confidence, link_stage.

    Args:
        con: vault attached; temp tables `node` (node, source, duplicate_free, n) and `pair_edge`.
        config: thresholds.
    """
    _decisions(con)
    _outcomes(con, config)
    _cluster(con, config)
    _settle(con)
    _link_stages(con)


def _decisions(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `last_decision`: the newest decision of each pair whose two source persons are in force."""
    con.execute(
        """create or replace temp table last_decision as
        select left_key as left_node, right_key as right_node, arg_max(decision, decision_n) as decision
        from vault.link_decision
        where left_key in (select node from node) and right_key in (select node from node) group by 1, 2"""
    )


def _outcomes(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    con.execute(
        f"""create or replace temp table decided_edge as
        with every_pair as (
            select coalesce(e.left_node, d.left_node) as left_node, coalesce(e.right_node, d.right_node) as right_node,
                coalesce(e.weight, 0) as weight, coalesce(e.probability, 0.5) as probability,
                coalesce(e.is_guarded, false) as is_guarded, coalesce(e.stage, 'probabilistic') as stage,
                e.rule, d.decision
            from pair_edge as e full join last_decision as d
              on d.left_node = e.left_node and d.right_node = e.right_node
        )
        select left_node, right_node, case decision when 'match' then {FORCED_WEIGHT} else weight end as weight,
            case decision when 'match' then 1.0 when 'non_match' then 0.0 else probability end as probability,
            is_guarded, case when decision in ('match', 'non_match') then 'reviewed' else stage end as stage, rule,
            case when decision = 'match' then 'link' when decision = 'non_match' then 'reject'
                 when stage = 'deterministic' then 'link'
                 when probability >= {config.t_auto} and is_guarded then 'link'
                 when probability >= {config.t_review} then 'review' else 'reject' end as outcome,
            case when decision in ('match', 'non_match') then 'reviewer' when stage = 'deterministic' then rule
                 when probability >= {config.t_auto} and is_guarded then 'score and first name'
                 when probability >= {config.t_auto} then 'first names differ'
                 when probability >= {config.t_review} then 'grey zone' else 'score' end as reason
        from every_pair"""
    )


def _cluster(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    """Resolve links into clusters; links that were contradicted go to review."""
    nodes = con.execute(
        "select dense_rank() over (order by source) - 1 as source, duplicate_free from node order by n"
    ).fetch_arrow_table()
    links = con.execute(
        """select l.n as left_n, r.n as right_n, e.weight, e.stage = 'reviewed' as forced, e.left_node, e.right_node
        from decided_edge as e join node as l on l.node = e.left_node join node as r on r.node = e.right_node
        where e.outcome = 'link' order by left_n, right_n"""
    ).fetch_arrow_table()
    apart = con.execute(
        """select l.n as one, r.n as other from last_decision as d
        join node as l on l.node = d.left_node join node as r on r.node = d.right_node
        where d.decision = 'non_match'"""
    ).fetch_arrow_table()
    result = resolve(
        _ints(nodes["source"]),
        nodes["duplicate_free"].to_numpy().astype(bool),
        _ints(links["left_n"]),
        _ints(links["right_n"]),
        links["weight"].to_numpy().astype(np.float64),
        links["forced"].to_numpy().astype(bool),
        (_ints(apart["one"]), _ints(apart["other"])),
        config.tie_margin,
    )
    con.register("labelled", pa.table({"n": np.arange(nodes.num_rows), "cluster": result.label}))
    con.execute(
        "create or replace temp table clustered as select node.node, cluster from labelled join node using (n)"
    )
    con.unregister("labelled")
    lost = links.select(["left_node", "right_node"]).append_column("tied", pa.array(result.tied))
    con.register("lost_link", lost.filter(pa.array(~result.kept)))
    con.execute(
        """update decided_edge as e set outcome = 'review',
            reason = case when x.tied then 'equal rivals' else 'stronger rival' end
        from lost_link as x where x.left_node = e.left_node and x.right_node = e.right_node"""
    )
    con.unregister("lost_link")


def _ints(column: pa.ChunkedArray) -> np.ndarray:
    return column.to_numpy().astype(np.int64)


def _settle(con: duckdb.DuckDBPyConnection) -> None:
    """Reject grey pairs that better links have settled: both are linked, and joining them would break one-to-one."""
    con.execute(
        """create or replace temp table settled as
        with held as (
            select c.node, c.cluster, n.source, n.duplicate_free from clustered as c join node as n using (node)
        ),
        clean as (select cluster, list(distinct source) as sources from held where duplicate_free group by 1),
        grey as (
            select e.left_node, e.right_node, l.cluster as left_cluster, r.cluster as right_cluster
            from decided_edge as e join held as l on l.node = e.left_node join held as r on r.node = e.right_node
            where e.outcome = 'review' and e.reason <> 'equal rivals'
        )
        -- Lists, so that no plan can join clusters by the few sources that there are.
        select g.left_node, g.right_node from grey as g
        join clean as l on l.cluster = g.left_cluster
        join clean as r on r.cluster = g.right_cluster and list_has_any(l.sources, r.sources)
        where g.left_cluster <> g.right_cluster"""
    )
    con.execute(
        """update decided_edge as e set outcome = 'reject', reason = 'settled by a better link'
        from settled as x where x.left_node = e.left_node and x.right_node = e.right_node"""
    )
    con.execute(  # a grey pair inside one cluster is settled the other way
        """update decided_edge as e set outcome = 'link', reason = 'linked through others'
        from clustered as l, clustered as r
        where e.outcome = 'review' and e.reason = 'grey zone' and l.node = e.left_node and r.node = e.right_node and l.cluster = r.cluster"""
    )


def _link_stages(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `linked`: each source person's cluster, and the stage of the link that best holds it there."""
    con.execute(
        """create or replace temp table linked as
        with best as (
            select node, arg_max(stage, weight) as stage, arg_max(probability, weight) as probability
            from (select left_node as node, stage, weight, probability from decided_edge where outcome = 'link'
                  union all
                  select right_node, stage, weight, probability from decided_edge where outcome = 'link')
            group by 1
        )
        select c.node, c.cluster, coalesce(b.probability, 1.0) as link_confidence,
            coalesce(b.stage, 'single') as link_stage
        from clustered as c left join best as b using (node)"""
    )
