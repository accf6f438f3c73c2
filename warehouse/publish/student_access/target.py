"""The target for partners' access to student-level rows: opt-in, in a database best its own.

What belongs here: who has a right, and the order of the steps. What does not: statements (`tables`, `rows`, `audit`).
"""

from __future__ import annotations

import psycopg
from pydantic import Field

from warehouse import duck
from warehouse.community import Community, load_community
from warehouse.publish.base import PublishError, PublishTarget
from warehouse.publish.package import ReleaseFiles
from warehouse.publish.postgresql.connect import connected, try_again
from warehouse.publish.student_access.audit import problems
from warehouse.publish.student_access.rows import field_types, load_partner
from warehouse.publish.student_access.tables import Access, Right, make_table, prepare, put_in_place
from warehouse.settings import CommunityPaths, Settings


class Target(PublishTarget):
    """Options of the target; its URL comes from THROUGHLINE_STUDENT_POSTGRES_URL."""

    schema_name: str = Field(
        "throughline_students",
        alias="schema",
        pattern=r"^[a-z][a-z0-9_]{0,30}$",
        description="Schema of the table and of the partners' views; also begins the names of the roles.",
    )
    patience_seconds: float = Field(
        60.0, ge=0, description="How long to try again where a reader holds the table."
    )

    def publish(self, release: ReleaseFiles, paths: CommunityPaths, settings: Settings) -> str:
        """Replace the rows of all partners in one transaction, after proving that nobody sees more than his own.

        A partner sees people of whom it delivered a record that is in force, under keys of its own, with the fields
        that its agreement in force allows. Whoever lost the right has no rows any more.

        Raises:
            PublishError: partners keep what they had; also when the database would let anybody see more.
        """
        community = load_community(paths.root)
        rights = rights_in_force(community, settings)
        access = Access(self.schema_name)
        with connected(settings.student_postgres_url, "THROUGHLINE_STUDENT_POSTGRES_URL") as con:
            try:
                try_again(
                    con,
                    lambda: _replace(con, access, rights, release, community, settings),
                    self.patience_seconds,
                )
            except psycopg.Error as error:
                why = (error.diag.message_primary or type(error).__name__).rstrip(".")
                raise PublishError(
                    f"Student access: {why}. Partners keep what they had. The role that publishes must own the "
                    "database's schemas and have CREATEROLE; see docs/privacy-officer.md."
                ) from None
        return f"{len(rights)} partners see the people they serve in schema {self.schema_name}"


def rights_in_force(community: Community, settings: Settings) -> list[Right]:
    """Partners whose agreement, in force today, names student fields."""
    today = settings.clock().date()
    return [
        Right(partner.partner_id, tuple(dict.fromkeys(agreement.student_fields)))
        for partner in community.partners.values()
        for agreement in [partner.agreement]
        if agreement.student_fields
        and (agreement.effective is None or agreement.effective <= today)
        and (agreement.expires is None or today <= agreement.expires)
    ]


def _replace(
    con: psycopg.Connection,
    access: Access,
    rights: list[Right],
    release: ReleaseFiles,
    community: Community,
    settings: Settings,
) -> None:
    paths = community.paths
    source = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp
    )
    try:
        source.execute(f"attach {duck.sql_literal(str(paths.warehouse))} as working (read_only)")
        types = field_types(source, rights)
        with con.transaction():
            prepare(con, access, rights)
            _refuse(problems(con, access, list(community.partners)))
            make_table(con, access, types)
            for right in rights:
                load_partner(con, source, access, right, release.release_id, paths, settings)
            put_in_place(con, access, rights, types)
            _refuse(problems(con, access, list(community.partners)))
    finally:
        source.close()


def _refuse(found: list[str]) -> None:
    if found:
        raise PublishError(
            f"Student access: not published, partners keep what they had: {'; '.join(found)}. "
            "Mend this in the database, then `throughline publish`."
        )


__all__ = ["Target", "rights_in_force"]
