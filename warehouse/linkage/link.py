"""From raw identifiers to decided pairs and clusters: the linkage itself, without keys and files.

What belongs here: the order of its steps, the same for a community's vault and for files under evaluation.
What does not: persistence.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from warehouse.linkage.blocking import add_blocking_keys, blocking_limits
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.decide import decide
from warehouse.linkage.deterministic import deterministic_edges, unique_identities
from warehouse.linkage.edges import judge_edges
from warehouse.linkage.families import co_twins, has_families
from warehouse.linkage.model import LinkageModel, train
from warehouse.linkage.score import add_frequencies, frequencies, no_edges, score_all, score_changed
from warehouse.linkage.standardise import standardise

Seconds = dict[str, float]


@dataclass(frozen=True)
class LinkageBasis:
    """What scores rest on between two estimations: the model, and whether the population holds families."""

    model: LinkageModel | None
    families: bool
    trained_on: int


def link_all(con: duckdb.DuckDBPyConnection, config: LinkageConfig, seconds: Seconds) -> LinkageBasis:
    """Link all records of temp table `raw_identifier` with a newly estimated model.

    Leaves `link_record`, `link_edge`, `name_frequency`, `blocking_limit` (the state that an incremental linkage
    goes on from), `decided_edge` and `linked` (see `decide`).

    Args:
        con: connection whose catalog `vault` has the table `link_decision`.
        config: linkage settings.
        seconds: receives the time by stage.
    """
    with timed(seconds, "standardise"):
        standardise(con, config)
        _nodes(con)
    with timed(seconds, "prepare"):
        blocking_limits(con, config.maximum_block)
        add_blocking_keys(con, "link_record")
        frequencies(con)
        add_frequencies(con, "link_record")
        co_twins(con)
        families = has_families(con)
    model = None
    if config.probabilistic:
        with timed(seconds, "train"):
            model = train(con, config, families=families)
        with timed(seconds, "score"):
            score_all(con, model, config)
    else:
        no_edges(con, "link_edge")
    _decide(con, config, seconds, families=families)
    row = con.execute("select count(*) from node").fetchone()
    return LinkageBasis(model, families, int(row[0]) if row else 0)


def link_changed(
    con: duckdb.DuckDBPyConnection, config: LinkageConfig, basis: LinkageBasis, seconds: Seconds
) -> None:
    """Link the source persons in `changed_node` with all others, under a model estimated before.

    Args:
        con: connection with the state of the last linkage as temp tables `link_record` and `link_edge` (without
            the changed source persons), `name_frequency`, `blocking_limit`; `raw_identifier` of the changed ones.
        config: linkage settings.
        basis: as the last estimation left it.
        seconds: receives the time by stage.
    """
    with timed(seconds, "standardise"):
        con.execute("alter table link_record rename to kept_record")
        standardise(con, config)
        add_blocking_keys(con, "link_record")
        add_frequencies(con, "link_record")
        con.execute("create or replace temp table new_record as from link_record")
        con.execute(
            "create or replace temp table link_record as from kept_record union all by name from new_record"
        )
        con.execute("drop table kept_record")
        _nodes(con)
    with timed(seconds, "score"):
        if basis.model is None or not con.execute("select 1 from new_record limit 1").fetchone():
            no_edges(con, "new_edge")
        else:
            score_changed(con, basis.model)
        con.execute("insert into link_edge by name from new_edge")
    with timed(seconds, "prepare"):
        co_twins(con)
    _decide(con, config, seconds, families=basis.families)


def _decide(
    con: duckdb.DuckDBPyConnection, config: LinkageConfig, seconds: Seconds, *, families: bool
) -> None:
    with timed(seconds, "rules"):
        unique_identities(con)
        deterministic_edges(con, config)
    with timed(seconds, "decide"):
        judge_edges(con, config, families=families)
        decide(con, config)


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


@contextmanager
def timed(seconds: Seconds, stage: str) -> Iterator[None]:
    """Add the time that a stage took to a record of stages."""
    started = time.perf_counter()
    yield
    seconds[stage] = round(seconds.get(stage, 0.0) + time.perf_counter() - started, 3)
