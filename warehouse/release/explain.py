"""The way back from a published figure: definition, models, people by status, partner and delivery, linkage, suppression.

What belongs here: asking the working database behind a release. What does not: naming a figure (`figure`) or printing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse import duck
from warehouse.community import Community
from warehouse.duck import quote_identifier, sql_literal
from warehouse.ledger import Ledger
from warehouse.release.audits import model_lineage
from warehouse.release.build import release_policy
from warehouse.release.figure import ExplainError, Figure, published_figure
from warehouse.release.protect import Policy, own_reasons
from warehouse.release.shelf import find_release, read_manifest
from warehouse.settings import CommunityPaths, Settings

_COUNTS = ("eligible_n", "excluded_n", "not_measured_n", "denominator_n", "numerator_n")
_PERSON_COLUMN = "source_person_key"
WITHHELD = (
    "Numbers are withheld: the group is smaller than {minimum}, or so few met it or did not that the others would be "
    "known, or it would give such a group away. Which of these is told to staff with --restricted."
)


def explain_figure(
    community: Community,
    settings: Settings,
    figure: Figure,
    *,
    release: str | None = None,
    restricted: bool = False,
) -> dict[str, Any]:
    """All that lies behind one figure, as a document.

    Counts of people behind a withheld figure are told only where `restricted` says that the reader may know them.

    Raises:
        ExplainError: no such figure, or no working database.
        ReleaseError: no such release.
    """
    paths = community.paths
    info = find_release(paths, release)
    manifest = read_manifest(info.path)
    full, row = published_figure(info.path, figure, community.config.geography_id)
    withheld = bool(row.pop("is_suppressed", False))
    told: dict[str, Any] = {
        "figure": full.key(),
        "published": {name: value for name, value in row.items() if name not in {*full.key(), "release_id"}},
        "is_withheld": withheld,
        "release": {name: manifest.get(name) for name in ("release_id", "created_at", "run_id", "code_version", "configuration_hash")},
        "models": model_lineage(paths, f"ind_{full.indicator_id}"),
    }  # fmt: skip
    policy = release_policy(community)
    con = _working(paths, settings)
    try:
        told["definition"] = _definition(con, full.indicator_id)
        _people(con, full, community.config.geography_id)
        mart = _mart_row(con, full)
        told["working_tables_agree"] = _agrees(con, row, mart, withheld)
        told["suppression"] = _suppression(mart, policy, withheld, restricted)
        if not withheld or restricted:
            told |= _counts(con, paths, settings, told["models"], full)
    finally:
        con.close()
    return told


def _working(paths: CommunityPaths, settings: Settings) -> duckdb.DuckDBPyConnection:
    if not paths.warehouse.is_file():
        raise ExplainError(f"{paths.warehouse}: the working database is absent; `throughline run` makes it")
    con = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp
    )
    con.execute(f"attach {sql_literal(str(paths.warehouse))} as working (read_only)")
    con.execute("use working")
    return con


def _rows(con: duckdb.DuckDBPyConnection, query: str, given: dict[str, Any] | None = None) -> list[dict[str, Any]]:  # fmt: skip
    answer = con.execute(query, given or {})
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _definition(con: duckdb.DuckDBPyConnection, indicator_id: str) -> dict[str, Any]:
    names = "title, version, population, numerator, denominator, exclusions, timing, direction, source, feeds"
    found = _rows(con, f"select {names} from core.dim_indicator where indicator_id = $i", {"i": indicator_id})
    if not found:
        raise ExplainError(f"core.dim_indicator does not define {indicator_id} any more; run the night again")
    return found[0]


def _people(con: duckdb.DuckDBPyConnection, figure: Figure, here: str) -> None:
    """Table `person_of_figure`: whom the figure counts, by the joins of `fct_indicator_count`."""
    wanted = [
        f"coalesce(person.gender_group, 'unknown') = {sql_literal(figure.gender_group)}"
        if figure.gender_group != "all" else "true",
        f"coalesce(economic.economic_group, 'unknown') = {sql_literal(figure.economic_group)}"
        if figure.economic_group != "all" else "true",
    ]  # fmt: skip
    if figure.organization_key != "all":
        organization = sql_literal(figure.organization_key)
        wanted.append(
            f"(s.organization_key = {organization} or organization.parent_organization_key = {organization})"
        )
    if figure.geography_id != here:
        wanted.append(f"concat('zip:', zip.zip_code) = {sql_literal(str(figure.geography_id))}")
    if figure.race_group != "all":
        wanted.append(
            f"""(exists (select 1 from core.brg_person_race r where r.person_key = s.person_key
                and r.race_scheme = {sql_literal(figure.race_scheme)} and r.race_group = {sql_literal(figure.race_group)})
            or ({sql_literal(figure.race_group)} = 'unknown' and {sql_literal(figure.race_scheme)} = 'federal7'
                and not exists (select 1 from core.brg_person_race r where r.person_key = s.person_key)))"""
        )
    con.execute(
        f"""
        create or replace temp table person_of_figure as
        select s.person_key, s.status, s.exclusion_reason, s.partner_id
        from marts.fct_indicator_status s
        left join core.dim_person person on s.person_key = person.person_key
        left join core.dim_organization organization on s.organization_key = organization.organization_key
        left join intermediate.int_person__economic_status_spanned economic
            on s.person_key = economic.person_key and s.cohort_year between economic.first_year and economic.last_year
        left join intermediate.int_person__zip_code_spanned zip
            on s.person_key = zip.person_key and s.cohort_year between zip.first_year and zip.last_year
        where s.indicator_id = $indicator and s.cohort_year = $year and {" and ".join(wanted)}
        """,
        {"indicator": figure.indicator_id, "year": figure.cohort_year},
    )


def _mart_row(con: duckdb.DuckDBPyConnection, figure: Figure) -> dict[str, Any]:
    where = " and ".join(f"{name} = ${name}" for name in figure.key())
    found = _rows(con, f"select {', '.join(_COUNTS)} from marts.mart_indicator_rate where {where}", figure.key())  # fmt: skip
    return found[0] if found else {}


def _agrees(
    con: duckdb.DuckDBPyConnection, row: dict[str, Any], mart: dict[str, Any], withheld: bool
) -> bool:
    """Whether people counted anew give the mart's figure, and the mart's figure is the one released."""
    counted = _rows(
        con,
        "select count(*) as eligible_n, count(*) filter (where status = 'excluded') as excluded_n, "
        "count(*) filter (where status = 'not_measured') as not_measured_n, "
        "count(*) filter (where status in ('met', 'not_met')) as denominator_n, "
        "count(*) filter (where status = 'met') as numerator_n from person_of_figure",
    )[0]
    return counted == mart and (withheld or all(row[name] == mart[name] for name in _COUNTS))


def _suppression(
    mart: dict[str, Any], policy: Policy, withheld: bool, restricted: bool
) -> dict[str, Any] | None:
    if not withheld:
        return None
    told: dict[str, Any] = {
        "minimum_n": policy.minimum_n,
        "rule": WITHHELD.format(minimum=policy.minimum_n),
        "is_companion": None,
        "reasons": None,
    }
    if restricted and mart:
        reasons = own_reasons(mart["eligible_n"], mart["denominator_n"], mart["numerator_n"], policy)
        told["is_companion"] = not reasons
        told["reasons"] = reasons or [
            "large enough itself; withheld because a smaller group would be known from it"
        ]
    return told


def _counts(
    con: duckdb.DuckDBPyConnection,
    paths: CommunityPaths,
    settings: Settings,
    models: dict[str, Any] | None,
    figure: Figure,
) -> dict[str, Any]:
    return {
        "people": _rows(con, "select status, count(*) as people_n from person_of_figure group by 1 order by 1"),
        "exclusions": _rows(
            con,
            "select status, coalesce(exclusion_reason, 'no reason on record') as reason, count(*) as people_n "
            "from person_of_figure where status in ('excluded', 'not_measured') group by all order by 1, 3 desc, 2",
        ),
        "partners": _rows(
            con,
            "select coalesce(partner_id, 'no partner: nothing was delivered about them') as partner_id, "
            "count(*) as people_n, count(*) filter (where status = 'met') as met_n, "
            "count(*) filter (where status = 'not_met') as not_met_n, "
            "count(*) filter (where status = 'excluded') as excluded_n, "
            "count(*) filter (where status = 'not_measured') as not_measured_n "
            "from person_of_figure group by 1 order by 2 desc, 1",
        ),
        "linkage": _linkage(con),
        "deliveries": _deliveries(con, Ledger.open(paths, settings), (models or {}).get("feeds", []), figure),
    }  # fmt: skip


def _linkage(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """How many of these people were joined from several partners' records, and how sure the least sure link is."""
    return _rows(
        con,
        """
        with mine as (
            select person_key, count(distinct partner_id) as partner_n, count(distinct source_person_key) as record_n,
                min(link_confidence) as least, bool_or(link_stage = 'probabilistic') as is_probable
            from lake.crosswalk where person_key in (select person_key from person_of_figure) group by 1
        )
        select count(*) as people_n, count(*) filter (where partner_n > 1) as people_of_several_partners_n,
            round(count(*) filter (where partner_n > 1) / nullif(count(*), 0), 4) as linked_share,
            round(count(*) filter (where is_probable) / nullif(count(*), 0), 4) as probabilistic_share,
            sum(record_n)::bigint as records_n, round(avg(least), 4) as mean_confidence, min(least) as least_confidence
        from mine
        """,
    )[0]


def _deliveries(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, feeds: list[str], figure: Figure
) -> list[dict[str, Any]]:
    """Rows about these people in every delivery in force of the feeds behind the models."""
    found: list[dict[str, Any]] = []
    for feed in feeds:
        columns = {
            name
            for (name,) in con.execute(
                "select column_name from information_schema.columns where table_schema = 'lake' and table_name = $feed",
                {"feed": feed},
            ).fetchall()
        }
        if not {_PERSON_COLUMN, "delivery_id"} <= columns:
            continue
        of_year = f"row.school_year = {int(figure.cohort_year or 0)}" if "school_year" in columns else "null"
        found += _rows(
            con,
            f"""
            select row.partner_id, {sql_literal(feed)} as feed_id, row.delivery_id,
                count(distinct link.person_key) as people_n, count(*) as rows_n,
                {"null::bigint" if of_year == "null" else f"count(*) filter (where {of_year})"} as rows_of_the_year_n
            from lake.{quote_identifier(feed)} row
            inner join staging.stg_person__crosswalk link using ({_PERSON_COLUMN})
            where link.person_key in (select person_key from person_of_figure)
            group by row.partner_id, row.delivery_id order by 4 desc, 1, 3
            """,
        )
    for row in found:
        delivery = ledger.find(row["delivery_id"])
        row["file_name"] = delivery.file_name if delivery else None
        row["sha256"] = delivery.sha256 if delivery else None
        row["received_at"] = delivery.received_at.isoformat() if delivery else None
        row["receipt"] = delivery.receipt if delivery else None
    return sorted(found, key=lambda row: (-row["people_n"], row["feed_id"], row["delivery_id"]))


def as_json(told: dict[str, Any]) -> str:
    """The document as text; dates as ISO."""
    return json.dumps(told, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    return value.as_posix() if isinstance(value, Path) else str(value)
