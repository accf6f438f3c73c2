"""Person keys that stay: random surrogates, matched to new clusters by maximum overlap, with their history.

What belongs here: which key a cluster gets, and the record of every change. What does not: why records link.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa
from scipy.optimize import linear_sum_assignment

from warehouse.linkage.cluster import components

RandomBytes = Callable[[int], bytes]


def assign_person_keys(
    con: duckdb.DuckDBPyConnection,
    sequence: int,
    run_id: str,
    random_bytes: RandomBytes = secrets.token_bytes,
    actor: str = "linkage",
) -> dict[str, int]:
    """Give every cluster its person key and write persons, their records and events to the vault.

    A cluster keeps the key with which it shares most records (maximum-weight matching; ties: the key its
    records had first, then the older, then the smaller source key). A cluster left over takes back a key of its
    own past that is out of use, else gets a new random one. A key is never given to other records than its own.

    Args:
        con: vault attached, temp table `linked` (node, cluster, link_confidence, link_stage) of all source
            persons in force; the caller holds the transaction.
        sequence: number of this linkage, larger than all before.
        run_id: the run that caused it.
        random_bytes: source of 128-bit keys; replaced in tests only.
        actor: who caused it, for the record.

    Returns:
        Number of events by kind.
    """
    _history(con)
    _match(con)
    _take_back(con)
    _create(con, random_bytes)
    return _write(con, sequence, run_id, actor)


def _history(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables: every (node, key) ever, and each cluster's overlap with the last keys of its records."""
    con.execute(
        """create or replace temp table key_history as
        select source_person_key as node, person_key, min(valid_from) as since, max(valid_from) as latest,
            bool_or(valid_to is null) as is_open
        from vault.person_record where source_person_key in (select node from linked) group by 1, 2"""
    )
    con.execute(
        """create or replace temp table key_overlap as
        with last_key as (select node, arg_max(person_key, (is_open, latest)) as person_key from key_history group by 1),
        first_key as (select node, arg_min(person_key, (since, latest)) as person_key from key_history group by 1)
        select l.cluster, k.person_key, count(*) as shared,
            count(*) filter (where f.person_key = k.person_key) as original,
            min(h.since) as since, min(l.node) as node
        from linked as l join last_key as k using (node) join first_key as f using (node)
        join key_history as h on h.node = l.node and h.person_key = k.person_key
        group by 1, 2"""
    )


def _match(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `cluster_key`: clusters that keep a key."""
    con.execute(
        """create or replace temp table cluster_key as
        select cluster, person_key from key_overlap
        qualify count(*) over (partition by cluster) = 1 and count(*) over (partition by person_key) = 1"""
    )
    rest = con.execute(
        """select dense_rank() over (order by cluster) - 1 as c, dense_rank() over (order by person_key) - 1 as k,
            shared, row_number() over (order by original, since desc, node desc) as preference, cluster, person_key
        from key_overlap where cluster not in (select cluster from cluster_key)"""
    ).fetch_arrow_table()
    if not rest.num_rows:
        return
    c, k = (rest[name].to_numpy().astype(np.int64) for name in ("c", "k"))
    shared, preference = (rest[name].to_numpy().astype(np.float64) for name in ("shared", "preference"))
    clusters = int(c.max()) + 1
    label = components(clusters + int(k.max()) + 1, c, k + clusters)[c]
    chosen = np.zeros(len(c), dtype=bool)
    order = np.argsort(label, kind="stable")
    for here in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        chosen[here] = _best(c[here], k[here], shared[here], preference[here])
    con.register("matched", rest.filter(pa.array(chosen)))
    con.execute("insert into cluster_key select cluster, person_key from matched")
    con.unregister("matched")


def _best(c: np.ndarray, k: np.ndarray, shared: np.ndarray, preference: np.ndarray) -> np.ndarray:
    """Maximum-weight matching of one small group; preferences together weigh less than one shared record.

    Clusters and keys are numbered by preference, so that an equal sum is decided alike in whatever order they came.
    """
    order = np.argsort(preference)
    row, column = _by_appearance(c[order]), _by_appearance(k[order])
    rows, columns = int(row.max()) + 1, int(column.max()) + 1
    table = np.zeros((rows, columns))
    table[row, column] = shared[order] + np.arange(1.0, len(c) + 1) / (
        (len(c) + 1) * (min(rows, columns) + 1)
    )
    best_row, best_column = linear_sum_assignment(table, maximize=True)
    match = np.full(rows, -1)
    match[best_row] = best_column
    chosen = np.zeros(len(c), dtype=bool)
    chosen[order] = match[row] == column
    return chosen


def _by_appearance(values: np.ndarray) -> np.ndarray:
    """Values replaced by numbers from 0 in the order in which they first appear."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _take_back(con: duckdb.DuckDBPyConnection) -> None:
    """Clusters without a key take back the key that most of their records once had, if it is out of use."""
    con.execute(
        """insert into cluster_key
        with candidate as (
            select l.cluster, h.person_key, count(*) as shared, min(h.since) as since, min(l.node) as node
            from linked as l join key_history as h using (node) join vault.person as p using (person_key)
            where p.status <> 'active' and l.cluster not in (select cluster from cluster_key)
              and h.person_key not in (select person_key from cluster_key)
            group by 1, 2
        ),
        one_key as ( -- a cluster may have had several keys: the one of most records
            select * from candidate
            qualify row_number() over (partition by cluster order by shared desc, since, node) = 1
        )
        select cluster, person_key from one_key -- a key may be wanted by several clusters: the one with most records
        qualify row_number() over (partition by person_key order by shared desc, since, node) = 1"""
    )


def _create(con: duckdb.DuckDBPyConnection, random_bytes: RandomBytes) -> None:
    """New random keys for clusters that have none, in the order of their smallest node."""
    fresh = con.execute(
        """select cluster from linked where cluster not in (select cluster from cluster_key)
        group by 1 order by min(node)"""
    ).fetch_arrow_table()
    count = fresh.num_rows
    if not count:
        return
    con.register("fresh_key", fresh.append_column("person_key", random_keys(count, random_bytes)))
    con.execute("insert into cluster_key select cluster, person_key from fresh_key")
    con.unregister("fresh_key")


def random_keys(count: int, random_bytes: RandomBytes) -> pa.Array:
    """So many random 128-bit keys as lower-case hexadecimal text."""
    digits = random_bytes(16 * count).hex()
    return pa.array([digits[at : at + 32] for at in range(0, 32 * count, 32)], pa.string())


def _write(con: duckdb.DuckDBPyConnection, sequence: int, run_id: str, actor: str) -> dict[str, int]:
    """Bring `person`, `person_record` and `person_event` up to date; one event a kind and pair of keys."""
    con.execute(
        """create or replace temp table change as
        with new as (
            select l.node, k.person_key, round(l.link_confidence, 4) as link_confidence, l.link_stage
            from linked as l join cluster_key as k using (cluster)
        ),
        old as (select * from vault.person_record where valid_to is null)
        select coalesce(n.node, o.source_person_key) as node, o.person_key as old_key, n.person_key as new_key,
            n.link_confidence, n.link_stage,
            o.person_key is distinct from n.person_key as moved
        from new as n full join old as o on n.node = o.source_person_key
        where (o.person_key, o.link_confidence, o.link_stage)
            is distinct from (n.person_key, n.link_confidence, n.link_stage)"""
    )
    _close_and_open(con, sequence)
    con.execute(
        """create or replace temp table key_state as
        select p.person_key, p.status as old_status, count(r.source_person_key) as records
        from vault.person as p left join vault.person_record as r
          on r.person_key = p.person_key and r.valid_to is null
        where p.person_key in (select old_key from change union select new_key from change)
        group by 1, 2"""
    )
    _events(con, sequence, run_id, actor)
    _statuses(con, run_id)
    rows = con.execute(
        "select kind, count(*) from vault.person_event where sequence = $s group by 1 order by 1",
        {"s": sequence},
    ).fetchall()
    return {str(kind): int(count) for kind, count in rows}


def _close_and_open(con: duckdb.DuckDBPyConnection, sequence: int) -> None:
    number = {"s": sequence}
    con.execute(
        """update vault.person_record set valid_to = $s
        where valid_to is null and source_person_key in (select node from change)""",
        number,
    )
    con.execute(
        """insert into vault.person_record
        select node, new_key, link_confidence, link_stage, $s, null from change where new_key is not null""",
        number,
    )


def _events(con: duckdb.DuckDBPyConnection, sequence: int, run_id: str, actor: str) -> None:
    """Say for every group of records that changed its key what happened to them."""
    con.execute(
        """insert into vault.person_event
        with known as (select person_key, old_status from key_state),
        grouped as (
            select old_key, new_key, list(node order by node) as nodes from change where moved group by 1, 2
        ),
        -- Not by a window: over rows with lists it takes some seventy times as long.
        target as (
            select old_key, count(*) as targets from grouped where new_key is not null and old_key is not null group by 1
        ),
        told as (
            select g.*, case
                when g.new_key is null then 'leave'
                when n.old_status is null and g.old_key is null then 'create'
                when n.old_status <> 'active' and g.old_key is null then 'revive'
                when g.old_key is null then 'join'
                when coalesce(o.records, 0) = 0 and t.targets = 1 then 'merge'
                when n.old_status is null or n.old_status <> 'active' then 'split'
                else 'move' end as kind
            from grouped as g
            left join target as t on t.old_key = g.old_key
            left join known as n on n.person_key = g.new_key
            left join key_state as o on o.person_key = g.old_key
        )
        select (select coalesce(max(event_n), 0) from vault.person_event)
                + row_number() over (order by nodes[1]), $s, $run, kind,
            list_filter([old_key], k -> k is not null), list_filter([new_key], k -> k is not null), nodes,
            case kind when 'create' then 'records without a key before'
                when 'join' then 'new records of a known person'
                when 'revive' then 'records of a key out of use came back'
                when 'leave' then 'records no longer in force'
                when 'merge' then 'all records now belong to another key of larger overlap'
                when 'split' then 'records no longer link to the rest of their person'
                else 'records now link to another person' end,
            $actor
        from told""",
        {"s": sequence, "run": run_id, "actor": actor},
    )


def _statuses(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Keys in use are active; one whose records all went to one other is merged, to several split, else retired."""
    con.execute(
        """insert into vault.person
        select distinct new_key, $run, 'active', null from change
        where new_key is not null and new_key not in (select person_key from vault.person)""",
        {"run": run_id},
    )
    con.execute(
        """create or replace temp table key_fate as
        with went as (
            select old_key, new_key, count(*) as n, min(node) as node from change
            where moved and new_key is not null and old_key is not null group by 1, 2
        ),
        fate as (
            select old_key, count(*) as targets, first(new_key order by n desc, node) as survivor
            from went group by 1
        )
        select s.person_key, case when s.records > 0 then 'active' when f.targets is null then 'retired'
                when f.targets = 1 then 'merged' else 'split' end as status,
            case when s.records = 0 then f.survivor end as survivor_key
        from key_state as s left join fate as f on f.old_key = s.person_key"""
    )
    con.execute(
        """update vault.person as p set status = f.status, survivor_key = coalesce(f.survivor_key, case
            when f.status = 'retired' then p.survivor_key end)
        from key_fate as f where f.person_key = p.person_key"""
    )
