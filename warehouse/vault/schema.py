"""Tables of the vault.

What belongs here: their definition. What does not: filling them (acceptance, `warehouse.linkage`).
"""

from __future__ import annotations

import duckdb

_TYPES = {"birth_date": "date"}

IDENTIFIER_COLUMNS: tuple[str, ...] = (
    "first_name",
    "middle_name",
    "last_name",
    "name_suffix",
    "preferred_name",
    "birth_date",
    "sex",
    "street_address",
    "city",
    "state_code",
    "postal_code",
    "phone",
    "email",
    "guardian_first_name",
    "guardian_last_name",
    "state_student_id",
    "local_person_id",
    "social_security_number",
)

_IDENTIFIERS = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in IDENTIFIER_COLUMNS)

# Grain and meaning of each table are told in the folder's README.
_STATEMENTS = (
    f"""create table if not exists vault.identifier_record (
        source_person_key text not null, partner_id text not null, issuer_id text not null,
        feed_id text not null, delivery_id text not null, delivery_seq bigint not null,
        {_IDENTIFIERS}, row_n bigint)""",
    """create table if not exists vault.person (
        person_key text not null, created_run text not null,
        status text not null check (status in ('active', 'merged', 'split', 'retired')), survivor_key text)""",
    """create table if not exists vault.person_record (
        source_person_key text not null, person_key text not null,
        link_confidence double, link_stage text not null,
        valid_from bigint not null, valid_to bigint)""",
    """create table if not exists vault.household_record (
        source_person_key text not null, delivery_id text not null, household_key text not null)""",
    """create table if not exists vault.person_event (
        event_n bigint not null, sequence bigint not null, run_id text not null, kind text not null,
        from_keys text[] not null, to_keys text[] not null, record_keys text[] not null,
        reason text not null, actor text not null)""",
    """create table if not exists vault.linkage_run (
        sequence bigint not null, run_id text not null, ran_at timestamptz not null, fingerprint text not null,
        model_version text, mode text not null, report json not null)""",
    "create table if not exists vault.link_state (content json not null)",
    "create table if not exists vault.link_delivery (delivery_id text not null, print text not null)",
    """create table if not exists vault.link_review (
        left_key text not null, right_key text not null, reason text not null, weight double not null,
        probability double not null, sequence bigint not null)""",
    """create table if not exists vault.link_decision (
        decision_n bigint not null, left_key text not null, right_key text not null,
        decision text not null check (decision in ('match', 'non_match', 'unsure')),
        reviewer text not null, decided_at timestamptz not null, note text)""",
    "create table if not exists vault.removed_subject (source_person_key text not null, removed_at timestamptz not null)",
    """create table if not exists vault.subject_correction (
        source_person_key text not null, column_name text not null, value text not null,
        corrected_at timestamptz not null)""",
)


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that are missing in the attached catalog `vault`."""
    for statement in _STATEMENTS:
        con.execute(statement)
