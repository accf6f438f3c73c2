"""What linkage keeps in the vault between nights, and how a night finds what changed since.

What belongs here: reading and writing that state. What does not: linking.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.link import LinkageBasis
from warehouse.linkage.model import LinkageModel
from warehouse.settings import CommunityPaths
from warehouse.vault import IDENTIFIER_COLUMNS

_TABLES = {
    "link_record": "link_record",
    "link_edge": "link_edge",
    "link_frequency": "name_frequency",
    "link_limit": "blocking_limit",
}


@dataclass(frozen=True)
class Inputs:
    """Hashes of all that decides a linkage.

    Attributes:
        rules: settings and code; when it changes, everything is linked anew.
        fingerprint: rules, contents of deliveries and reviewers' decisions; when it is as before, nothing is to do.
    """

    rules: str
    fingerprint: str


@dataclass(frozen=True)
class State:
    """The last full estimation and what has changed since."""

    basis: LinkageBasis
    rules: str
    changed_since: int


def find_inputs(con: duckdb.DuckDBPyConnection, deliveries: Sequence[str], config: LinkageConfig) -> Inputs:
    """Hash the inputs; leaves temp tables `chosen_delivery` and `delivery_print` (delivery_id, print)."""
    chosen = pa.table({"delivery_id": pa.array(sorted(set(deliveries)), pa.string())})
    con.register("chosen", chosen)
    con.execute("create or replace temp table chosen_delivery as from chosen")
    con.unregister("chosen")
    columns = ", ".join(("source_person_key", "issuer_id", "partner_id", *IDENTIFIER_COLUMNS))
    con.execute(
        f"""create or replace temp table delivery_print as
        select delivery_id, count(*)::text || '-' || sum(hash({columns})::hugeint)::text as print
        from vault.identifier_record where delivery_id in (from chosen_delivery) group by 1"""
    )
    rules = _sha([config.model_dump_json(exclude={"backend", "spark"}), _code_version()])
    row = con.execute(
        """select (select string_agg(delivery_id || print, ',' order by delivery_id) from delivery_print),
            (select max(decision_n) from vault.link_decision)"""
    ).fetchone()
    return Inputs(rules, _sha([rules, repr(row)]))


def load_state(con: duckdb.DuckDBPyConnection) -> State | None:
    """The state that the last linkage left; None before the first."""
    row = con.execute("select content::varchar from vault.link_state").fetchone()
    if not row:
        return None
    found = json.loads(row[0])
    model = LinkageModel(**found["model"]) if found["model"] else None
    basis = LinkageBasis(model, bool(found["families"]), int(found["trained_on"]))
    return State(basis, str(found["rules"]), int(found["changed_since"]))


def find_changed(con: duckdb.DuckDBPyConnection) -> int | None:
    """Make temp table `changed_node`: source persons of whom the deliveries in force tell something else than before.

    A correction sends a whole school year again, and nearly everybody in it is as before: who is so need not be
    linked anew. Of several contents the later ones count for more, so their order is part of what is compared.

    Returns:
        Their number; None when it cannot be told, because rows of an earlier delivery were replaced or destroyed.
    """
    lost = con.execute(
        """select count(*) from vault.link_delivery as old left join delivery_print as new using (delivery_id)
        where (new.print is not null and new.print <> old.print)
           or (new.print is null and old.delivery_id not in (select delivery_id from vault.identifier_record))"""
    ).fetchone()
    if lost and lost[0]:
        return None
    con.execute(
        """create or replace temp table met_again as
        select distinct source_person_key as node from vault.identifier_record where delivery_id in (
            select delivery_id from delivery_print full join vault.link_delivery as old using (delivery_id)
            where delivery_print.print is distinct from old.print)"""
    )
    con.execute(
        f"""create or replace temp table changed_node as
        select node from met_again
        left join ({_told("vault.link_delivery")}) as old using (node)
        left join ({_told("chosen_delivery")}) as new using (node)
        where old.told is distinct from new.told"""
    )
    con.execute("drop table met_again")
    row = con.execute("select count(*) from changed_node").fetchone()
    return int(row[0]) if row else 0


def _told(deliveries: str) -> str:
    """SQL of a number for each source person in `met_again` that changes with all that some deliveries tell of it."""
    columns = ", ".join(IDENTIFIER_COLUMNS)
    return f"""
        select node, sum(hash(content, place)::hugeint) as told from (
            select source_person_key as node, hash(min(issuer_id), min(partner_id), {columns}) as content,
                row_number() over (partition by source_person_key order by max(delivery_seq), hash({columns})) as place
            from vault.identifier_record
            where delivery_id in (select delivery_id from {deliveries}) and source_person_key in (from met_again)
            group by source_person_key, {columns})
        group by node"""


def restore(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the kept state into temp tables, without the source persons in `changed_node`."""
    con.execute(
        """create or replace temp table link_record as
        from vault.link_record where node not in (select node from changed_node)"""
    )
    con.execute(
        """create or replace temp table link_edge as from vault.link_edge
        where left_node not in (select node from changed_node) and right_node not in (select node from changed_node)"""
    )
    con.execute("create or replace temp table name_frequency as from vault.link_frequency")
    con.execute("create or replace temp table blocking_limit as from vault.link_limit")


def keep(
    con: duckdb.DuckDBPyConnection, basis: LinkageBasis, rules: str, changed_since: int, *, full: bool
) -> None:
    """Write the state; after an incremental linkage only what changed. Part of the linkage's transaction."""
    if full:
        for kept, temporary in _TABLES.items():
            con.execute(f"create or replace table vault.{kept} as from temp.{temporary}")
    else:
        con.execute("delete from vault.link_record where node in (select node from changed_node)")
        con.execute("insert into vault.link_record by name from new_record")
        con.execute(
            """delete from vault.link_edge where left_node in (select node from changed_node)
            or right_node in (select node from changed_node)"""
        )
        con.execute("insert into vault.link_edge by name from new_edge")
    con.execute("create or replace table vault.link_delivery as from delivery_print")
    content = {
        "model": vars(basis.model) if basis.model else None,
        "families": basis.families,
        "trained_on": basis.trained_on,
        "rules": rules,
        "changed_since": changed_since,
    }
    con.execute("delete from vault.link_state")
    con.execute("insert into vault.link_state values ($c)", {"c": json.dumps(content)})


def keep_model_file(paths: CommunityPaths, model: LinkageModel) -> Path:
    """Keep the model, which holds probabilities and no identifier, as a versioned file in the vault's folder."""
    target = paths.vault.parent / "models" / f"model-{model.version}.json"
    if not target.exists():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        beside = target.with_suffix(".part")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"origin": model.origin, **model.settings}, out, indent=1, sort_keys=True)
        beside.replace(target)
    return target


def _sha(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@lru_cache(maxsize=1)
def _code_version() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
