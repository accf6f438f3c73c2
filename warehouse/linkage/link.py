"""From raw identifiers to decided pairs and clusters: the linkage itself, without keys and files.

What belongs here: the order of its steps, the same for a community's vault and for two files under evaluation.
What does not: persistence.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from warehouse.linkage.blocking import add_blocking_keys
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.decide import decide
from warehouse.linkage.deterministic import deterministic_edges, unique_identities
from warehouse.linkage.families import co_twins, has_families
from warehouse.linkage.model import LinkageModel, train
from warehouse.linkage.score import add_frequencies, frequencies, score
from warehouse.linkage.standardise import standardise


def link(
    con: duckdb.DuckDBPyConnection, config: LinkageConfig, seconds: dict[str, float]
) -> LinkageModel | None:
    """Link all records of temp table `raw_identifier`; leaves `decided_edge` and `linked` (see `decide`).

    Args:
        con: connection whose catalog `vault` has the table `link_decision`.
        config: linkage settings.
        seconds: receives the time by stage.

    Returns:
        The model used; None when linkage is by rules alone.
    """
    with timed(seconds, "standardise"):
        standardise(con, config)
        _nodes(con)
    with timed(seconds, "rules"):
        unique_identities(con)
        deterministic_edges(con, config)
    model = _probabilistic(con, config, seconds) if config.probabilistic else None
    _join_edges(con, has_scores=model is not None)
    with timed(seconds, "decide"):
        decide(con, config)
    return model


def _nodes(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables `node` (one row a source person, numbered by key) and `node_partner` (whose id it is)."""
    con.execute(
        """create or replace temp table node as
        select node, min(source) as source, min(partner_id) as partner_id,
            bool_or(duplicate_free) as duplicate_free, row_number() over (order by node) - 1 as n
        from link_record group by node"""
    )
    con.execute(
        """create or replace temp table node_partner as
        select node, case when source in (select partner_id from node) then source else partner_id end as partner_id
        from node"""
    )


def _probabilistic(
    con: duckdb.DuckDBPyConnection, config: LinkageConfig, seconds: dict[str, float]
) -> LinkageModel:
    with timed(seconds, "prepare"):
        add_blocking_keys(con, "link_record", config.maximum_block)
        frequencies(con)
        add_frequencies(con, "link_record")
        co_twins(con)
    with timed(seconds, "train"):
        families = has_families(con)
        model = train(con, config, families=families)
    with timed(seconds, "score"):
        score(con, config, model, families=families)
    return model


def _join_edges(con: duckdb.DuckDBPyConnection, *, has_scores: bool) -> None:
    """Temp table `pair_edge`: a rule's link stands above any score of the same pair."""
    if not has_scores:
        con.execute(
            """create or replace temp table scored_edge as
            select left_node, right_node, 0.0 as weight, 0.5 as probability, true as is_guarded
            from rule_edge where false"""
        )
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


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Add the time that a stage took to a record of stages."""
    started = time.perf_counter()
    yield
    seconds[stage] = round(seconds.get(stage, 0.0) + time.perf_counter() - started, 3)
