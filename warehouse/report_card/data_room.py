"""The partners' data room: for each partner how its data fares, outside every release and never public.

What belongs here: reading the marts, the ledger and the current release, and writing one folder a partner. What does
not: receipts of single files (`ingestion.receipts`) and public pages (`pages`).
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment

from warehouse import duck
from warehouse.community import Community
from warehouse.duck import sql_literal
from warehouse.ledger import Delivery, Ledger
from warehouse.report_card.catalogue import BASE, load_catalogue
from warehouse.report_card.pages import make_environment
from warehouse.report_card.tables import Row, year_kind
from warehouse.settings import Settings

FOLDER = "data_room"  # in the community's data folder
_YEARS = 3  # latest cohort years of which the effect of missing data is told
_HEALTH = "select * from working.marts.mart_data_health order by partner_id, feed_id"
_LINKAGE = """
    select * from working.marts.mart_linkage_quality
    order by partner_id, feed_id, dimension = 'all' desc, dimension, group_value
"""
# A person's own partner answers for a feed that it delivers; where it delivers none, whoever delivers it for others does.
_EFFECT = """
    with unmeasured as (
        select indicator_id, cohort_year, coalesce(partner_id, 'unknown') as partner_id,
            substring(exclusion_reason, position(':' in exclusion_reason) + 1) as feed_id, count(*) as missing_n
        from working.core.fct_indicator_status
        where status = 'not_measured' and exclusion_reason like '%:%'
        group by all
    ),
    due as (select distinct partner_id, feed_id from working.marts.mart_data_health),
    known as (
        select u.*, d.partner_id is not null as delivers from unmeasured u left join due d using (partner_id, feed_id)
    ),
    effect as (
        select due.partner_id, indicator_id, cohort_year, feed_id, true as is_own, sum(missing_n) as missing_n
        from known join due using (feed_id) where due.partner_id = known.partner_id or not delivers
        group by all
        union all
        select partner_id, indicator_id, cohort_year, feed_id, false, sum(missing_n) from known
        where not delivers group by all
    ),
    latest as (
        select indicator_id, max(cohort_year) as latest_year from working.core.fct_indicator_status group by indicator_id
    )
    select effect.*, indicator.title, indicator.timing, rate.rate, rate.numerator_n, rate.denominator_n, rate.coverage_rate,
        rate.is_enough_data
    from effect
    left join working.core.dim_indicator indicator using (indicator_id)
    inner join latest using (indicator_id)
    left join rate using (indicator_id, cohort_year)
    where cohort_year > latest_year - $years
    order by partner_id, is_own desc, missing_n desc, indicator_id, cohort_year desc
"""
Standings = Mapping[tuple[str, str], tuple[str, date | None]]
_NO_RATE = """
    create temp table rate (indicator_id varchar, cohort_year bigint, rate double, numerator_n bigint,
        denominator_n bigint, coverage_rate double, is_enough_data boolean)
"""


def build_data_room(
    community: Community,
    settings: Settings,
    *,
    warehouse_db: Path,
    ledger: Ledger | None = None,
    standings: Standings | None = None,
) -> Path:
    """Write the data room anew: `data/data_room/index.html` for staff and one folder a partner, for that partner.

    Rates come from the current release, so that no partner learns a figure that disclosure control withheld; counts
    of people below the minimum size are told as such.

    Args:
        community: whose partners.
        settings: clock and memory.
        warehouse_db: the working database; opened read-only.
        ledger: of deliveries; opened from the settings when absent.
        standings: state (on time, late, never delivered) and due day by partner and feed; as of the working
            database when absent.

    Returns:
        The staff's page.
    """
    paths = community.paths
    kept = ledger or Ledger.open(paths, settings)
    con = duck.connect(memory_limit=settings.memory_limit, temp_directory=paths.temp)
    try:
        con.execute(f"attach {sql_literal(str(warehouse_db))} as working (read_only)")
        _load_rates(con, community)
        health = _rows(con, _HEALTH, {"marts.mart_data_health"})
        linkage = _rows(con, _LINKAGE, {"marts.mart_linkage_quality"})
        needed = {"core.fct_indicator_status", "core.dim_indicator", "marts.mart_data_health"}
        effect = _rows(con, _EFFECT, needed, {"years": _YEARS})
    finally:
        con.close()
    health = [_standing(row, standings or {}) for row in health]
    target = paths.data / FOLDER
    building = paths.data / f".{FOLDER}.building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=0o700)
    partners = [
        _partner(community, partner_id, kept, health, linkage, effect)
        for partner_id in sorted({*community.partners, *(row["partner_id"] for row in health)})
    ]
    _write(building, community, settings, partners)
    _open_as_far(building, stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o700)
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)
    return target / "index.html"


def _open_as_far(room: Path, mode: int) -> None:
    """The operator's choice of who may enter outlives the night; what nobody chose stays closed."""
    for item in (room, *room.rglob("*")):
        item.chmod(mode if item.is_dir() else mode & 0o666)


def _load_rates(con: duckdb.DuckDBPyConnection, community: Community) -> None:
    """Everyone's published rates in the whole community; none before the first release."""
    con.execute(_NO_RATE)
    file = community.paths.releases / "current" / "tables" / "pub_indicator_rate_v1.parquet"
    if not file.is_file():
        return
    con.execute(
        f"""insert into rate by name
        select indicator_id, cohort_year, rate, numerator_n, denominator_n, coverage_rate, is_enough_data
        from read_parquet({sql_literal(str(file))})
        where organization_key = 'all' and geography_id = $g and race_scheme = 'federal7' and race_group = 'all'
            and gender_group = 'all' and economic_group = 'all' and not is_suppressed""",
        {"g": community.config.geography_id},
    )


def _rows(
    con: duckdb.DuckDBPyConnection, sql: str, needed: set[str], values: Mapping[str, object] | None = None
) -> list[Row]:
    """Rows of a query; none while the night has not made its tables yet."""
    held = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables where table_catalog = 'working'"
    ).fetchall()
    if not needed <= {name for (name,) in held}:
        return []
    result = con.execute(sql, values or {})
    columns = [column[0] for column in result.description or []]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _partner(
    community: Community,
    partner_id: str,
    ledger: Ledger,
    health: Sequence[Row],
    linkage: Sequence[Row],
    effect: Sequence[Row],
) -> Row:
    config = community.partners.get(partner_id)
    asked = config.agreement.minimum_n if config else None
    minimum = max(community.config.privacy.minimum_n, asked or 0)
    own = [row for row in health if row["partner_id"] == partner_id]
    judged = sum((row["accepted_row_n"] or 0) + (row["quarantined_row_n"] or 0) for row in own)
    accepted = sum(row["accepted_row_n"] or 0 for row in own)
    return {
        "partner_id": partner_id,
        "name": config.name if config else partner_id,
        "contact_role": config.contact_role if config else "data steward",
        "minimum_n": minimum,
        "health": own,
        "acceptance_rate": accepted / judged if judged else None,
        "late": [row["feed_title"] or row["feed_id"] for row in own if row["lateness"] != "on time"],
        "linkage": [row for row in linkage if row["partner_id"] == partner_id],
        "effect": [told_effect(row, minimum) for row in effect if row["partner_id"] == partner_id],
        "has_receipts": (community.paths.receipts / partner_id / "index.html").is_file(),
        "deliveries": [_delivery(row) for row in ledger.partner_deliveries(partner_id)],
    }


def _standing(row: Row, standings: Standings) -> Row:
    """A feed with its lateness and the day on which the next file is due."""
    state, due = standings.get((row["partner_id"], row["feed_id"]), (None, None))
    told = {"never delivered": "never came"}.get(state or "", state)
    return {**row, "lateness": told or lateness(row), "due_date": due}


def lateness(row: Mapping[str, Any]) -> str:
    """How a feed stands with its deadline: `on time`, `late` or `never came`."""
    if not row["accepted_n"]:
        return "never came"
    return "on time" if row["is_fresh"] else "late"


def told_effect(row: Row, minimum: int) -> Row:
    """A row of missing people with the range in which the published rate would lie if all of them were known.

    The range runs from none of the missing people having met the indicator to all of them; it is left out for
    fewer people than the minimum, as is their number.
    """
    missing, measured, met = int(row["missing_n"]), row["denominator_n"], row["numerator_n"]
    told: Row = {
        **row,
        "kind": year_kind(row.get("timing")),
        "is_small": missing < minimum,
        "low": None,
        "high": None,
    }
    if missing >= minimum and measured is not None and met is not None:
        told["low"] = met / (measured + missing)
        told["high"] = (met + missing) / (measured + missing)
    return told


def _delivery(delivery: Delivery) -> Row:
    """A delivery without its file's and its receipt's name, which can hold a person's."""
    return {
        "delivery_id": delivery.delivery_id,
        "received_at": delivery.received_at,
        "feed_id": delivery.feed_id,
        "status": "withdrawn" if delivery.withdrawn_at else delivery.status,
        "rows_in": delivery.rows_in,
        "rows_accepted": delivery.rows_accepted,
        "rows_quarantined": delivery.rows_quarantined,
        "findings": [f for f in delivery.findings or [] if f.get("severity") != "note"],
    }


def _write(folder: Path, community: Community, settings: Settings, partners: Sequence[Row]) -> None:
    environment: Environment = make_environment()
    words = load_catalogue(BASE, community.paths.root)
    style = (files("warehouse.report_card") / "templates" / "style.css").read_text(encoding="utf-8")
    titles = {row["feed_id"]: row["feed_title"] for partner in partners for row in partner["health"]}
    shared = {
        "L": words,
        "titles": titles,
        "community": community.config.name,
        "made": settings.clock().date(),
    }
    (folder / "style.css").write_text(style, encoding="utf-8")
    page = environment.get_template("data_room/index.html.j2").render(**shared, partners=partners)
    (folder / "index.html").write_text(page, encoding="utf-8")
    for partner in partners:
        own = folder / partner["partner_id"]
        own.mkdir(mode=0o700)
        (own / "style.css").write_text(style, encoding="utf-8")  # so that the folder can be handed over alone
        page = environment.get_template("data_room/partner.html.j2").render(**shared, partner=partner)
        (own / "index.html").write_text(page, encoding="utf-8")
