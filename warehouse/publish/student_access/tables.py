"""The table behind row-level security, the roles, and each partner's view.

What belongs here: definitions and grants. What does not: rows (`rows`) and proof (`audit`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from warehouse.duck import quote_identifier, sql_literal
from warehouse.publish.postgresql.connect import run

TABLE = "student_journey"
_KEYS = ("partner_id", "student_key", "release_id")


@dataclass(frozen=True)
class Right:
    """What one partner may see of people it serves."""

    partner_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """Names in the database."""

    name: str

    @property
    def schema(self) -> str:
        """The schema, quoted."""
        return quote_identifier(self.name)

    @property
    def table(self) -> str:
        """The table that all partners' rows are in."""
        return f"{self.schema}.{TABLE}"

    @property
    def being_made(self) -> str:
        """The table that takes its place at the end of the transaction."""
        return f"{self.schema}.{TABLE}_next"

    @property
    def owner(self) -> str:
        """Role that owns everything and can log in nowhere."""
        return f"{self.name}_owner"

    def role(self, partner_id: str) -> str:
        """Role that stands for a partner; the logins of its people are made members of it."""
        return f"{self.name}_{partner_id}"

    def view(self, partner_id: str) -> str:
        """A partner's own view."""
        return f"{self.schema}.{quote_identifier(f'journey_{partner_id}')}"


def prepare(con: psycopg.Connection, access: Access, rights: Sequence[Right]) -> None:
    """Make the roles and the schema, where they are absent. No role can log in; a login is made a member by hand."""
    for role in (access.owner, *(access.role(right.partner_id) for right in rights)):
        if run(con, "select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
            run(con, f"create role {quote_identifier(role)} nologin nosuperuser nobypassrls")
    owner = quote_identifier(access.owner)
    if run(con, "select pg_has_role(%s, 'member')", [access.owner]).fetchone() != (True,):
        run(con, f"grant {owner} to current_user")
    if run(con, "select to_regnamespace(%s)", [access.schema]).fetchone() == (None,):
        run(con, f"create schema {access.schema} authorization {owner}")
    run(con, f"set local role {owner}")


def make_table(con: psycopg.Connection, access: Access, types: Mapping[str, str]) -> None:
    """Make the next table, still empty and seen by nobody."""
    columns = ", ".join(f"{quote_identifier(name)} {kind}" for name, kind in types.items())
    run(con, f"drop table if exists {access.being_made}")
    keys = ", ".join(f"{name} text not null" for name in _KEYS)
    run(con, f"create table {access.being_made} ({keys}{', ' + columns if columns else ''})")


def put_in_place(
    con: psycopg.Connection, access: Access, rights: Sequence[Right], types: Mapping[str, str]
) -> None:
    """Guard the next table and let it take the place of the present one, with each partner's policy, grants and view.

    Also the owner is bound by the policies and has none, so nothing that is made in the owner's name, a plain or a
    materialized view, shows a row.
    """
    next_table = access.being_made
    run(con, f"create unique index on {next_table} (partner_id, student_key)")
    run(con, f"analyze {next_table}")
    run(con, f"alter table {next_table} enable row level security")
    run(con, f"alter table {next_table} force row level security")
    run(con, f"drop table if exists {access.table} cascade")
    run(con, f"alter table {next_table} rename to {TABLE}")
    run(
        con,
        f"comment on table {access.table} is 'One row a partner and person it serves. student_key is the partner''s own: "
        "rows of two partners cannot be joined. Fields that an agreement does not allow are not in its rows.'",
    )
    for right in rights:
        role = quote_identifier(access.role(right.partner_id))
        seen = ", ".join(
            quote_identifier(name) for name in (*_KEYS, *(name for name in types if name in right.fields))
        )
        run(
            con,
            f"create policy {quote_identifier(f'served_by_{right.partner_id}')} on {access.table} for select to {role} "
            f"using (partner_id = {sql_literal(right.partner_id)})",
        )
        run(con, f"grant usage on schema {access.schema} to {role}")
        run(con, f"grant select ({seen}) on {access.table} to {role}")
        view = access.view(right.partner_id)
        run(
            con,
            f"create view {view} with (security_invoker = true, security_barrier = true) as "
            f"select {seen} from {access.table} where partner_id = {sql_literal(right.partner_id)}",
        )
        run(con, f"grant select on {view} to {role}")
