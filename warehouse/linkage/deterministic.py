"""Pass 0: rules that link without a model, where a trusted shared id or everything agrees.

What belongs here: the rules, as SQL joins. What does not: anything with a probability.
"""

from __future__ import annotations

import duckdb

from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.guard import FIRST_NAME_GUARD_SQL, UNNAMED_SQL

# Above any weight that a model gives, so that a rule's link wins a one-to-one contest; ids above names.
RULE_WEIGHT = {"shared_state_id": 80.0, "shared_ssn": 80.0, "exact_identity": 60.0}

_COMPATIBLE = """
    (l.sex is null or r.sex is null or l.sex = r.sex)
    and (l.suffix is null or r.suffix is null or l.suffix = r.suffix)
    and (l.middle_initial is null or r.middle_initial is null or l.middle_initial = r.middle_initial)
    and (l.state_id is null or r.state_id is null or l.state_authority <> r.state_authority
         or l.state_id = r.state_id)
    and (l.ssn is null or r.ssn is null or l.ssn = r.ssn)"""
_MORE_AGREES = """
    (l.zip = r.zip or l.street = r.street or l.phone = r.phone or l.email = r.email
     or (length(l.middle_flat) > 1 and l.middle_flat = r.middle_flat)
     or (l.guardian_first = r.guardian_first and l.guardian_last = r.guardian_last))"""


def deterministic_edges(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    """Make temp table `rule_edge` (left_node, right_node, rule, weight) from `link_record`.

    Two records of one issuing authority with the same state id, or with the same social security number, link
    when their first names pass the guard, or one has none and the birth dates are equal: an id alone is never enough,
    since ids are mistyped and co-twins hold neighbouring ones. Records equal in name and birth date link when nothing contradicts, something more
    agrees, and each is the only such person of its source.

    Args:
        con: connection with temp table `link_record`.
        config: linkage settings.
    """
    apart = f"l.node < r.node and not (l.source = r.source and l.duplicate_free) and ({FIRST_NAME_GUARD_SQL} or {UNNAMED_SQL})"
    enabled = "true" if config.deterministic else "false"
    con.execute(
        f"""create or replace temp table rule_edge as
        with pairs as (
            select l.node as left_node, r.node as right_node, 'shared_state_id' as rule
            from link_record as l join link_record as r using (state_authority, state_id) where {apart}
            union all
            select l.node, r.node, 'shared_ssn' from link_record as l join link_record as r using (ssn)
            where {apart}
            union all
            {_exact()}
        )
        select left_node, right_node, arg_max(rule, weight) as rule, max(weight) as weight
        from (select *, case rule {_weights()} end as weight from pairs) where {enabled} group by 1, 2"""
    )


def _exact() -> str:
    return f"""select l.node, r.node, 'exact_identity' from unique_identity as l
        join unique_identity as r using (first_flat, last_flat, dob)
        where l.node < r.node and not (l.source = r.source and l.duplicate_free)
          and {_COMPATIBLE} and {_MORE_AGREES}"""


def _weights() -> str:
    return " ".join(f"when '{rule}' then {weight}" for rule, weight in RULE_WEIGHT.items())


def unique_identities(con: duckdb.DuckDBPyConnection) -> None:
    """Make temp table `unique_identity`: records whose name and birth date one person of a source has."""
    con.execute(
        """create or replace temp table unique_identity as
        select r.* from link_record as r join (
            select source, first_flat, last_flat, dob from link_record
            where first_flat is not null and last_flat is not null and dob is not null
            group by all having count(distinct node) = 1
        ) as u using (source, first_flat, last_flat, dob)"""
    )
