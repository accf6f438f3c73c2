"""How well linkage does, by partner and stage, in counts and estimates that carry no identifier.

What belongs here: the table `linkage_quality`. What does not: quality against known truth (`evaluate`).
"""

from __future__ import annotations

import duckdb

from warehouse.linkage.crosswalk import write_parquet
from warehouse.settings import CommunityPaths

# Precision is the mean probability of the links kept; recall sets against them the probability mass of the pairs
# that were scored and not linked (expected counts under the model; Fellegi and Sunter 1969). Rounded, so that the same
# linkage gives the same table in whatever order it was summed.
_QUALITY = """
    with node as (select n.node, n.partner_id, l.link_stage, l.cluster from node_partner as n join linked as l using (node)),
    size as (select cluster, count(*) as n from linked group by 1),
    edge as (
        select n.partner_id, e.probability, e.outcome from (
            select left_node as node, probability, outcome from decided_edge
            union all select right_node, probability, outcome from decided_edge
        ) as e join node as n using (node)
    ),
    mass as (
        select partner_id, round(avg(probability) filter (where outcome = 'link'), 9) as estimated_precision,
            round(sum(probability) filter (where outcome = 'link')
                / nullif(sum(probability) filter (where outcome in ('link', 'review', 'reject')), 0), 9)
                as estimated_recall
        from edge group by 1
    ),
    grey as (
        select n.partner_id, count(distinct n.node) as review_n from node as n
        join (select left_node as node from decided_edge where outcome = 'review'
              union all select right_node from decided_edge where outcome = 'review') as e using (node) group by 1
    ),
    total as (
        select partner_id, count(*) as partner_records_n from node group by 1
    )
    select n.partner_id, n.link_stage, count(*) as records_n,
        count(*) filter (where s.n > 1) as linked_n,
        count(*) filter (where s.n > 1) / any_value(t.partner_records_n) as match_rate,
        coalesce(any_value(g.review_n), 0) / any_value(t.partner_records_n) as grey_zone_rate,
        any_value(m.estimated_precision) as estimated_precision, any_value(m.estimated_recall) as estimated_recall
    from node as n join size as s using (cluster) join total as t using (partner_id)
    left join mass as m using (partner_id) left join grey as g using (partner_id)
    group by 1, 2 order by 1, 2"""


def write_quality(con: duckdb.DuckDBPyConnection, paths: CommunityPaths, sequence: int) -> None:
    """Write `linkage_quality.parquet`: one row a partner and stage.

    `match_rate` is the share of the partner's records linked at that stage; `grey_zone_rate`,
    `estimated_precision` and `estimated_recall` are of the partner as a whole.
    """
    write_parquet(con, _QUALITY, paths.crosswalk / "linkage_quality.parquet", sequence)
