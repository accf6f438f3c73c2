"""What was released of the gateways so far.

What belongs here: reading releases. What does not: making them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from warehouse.duck import sql_literal
from warehouse.release import list_releases
from warehouse.settings import CommunityPaths

_TABLE = "pub_gateway_history_v1"


def gateway_history(paths: CommunityPaths) -> list[dict[str, Any]]:
    """Changes of status as released, oldest first: gateway_id, gateway_order, status, reason, release_id, as_of_date.

    The newest release carries all of it on from those before.
    """
    releases = [release for release in list_releases(paths) if _TABLE in release.tables]
    if not releases:
        return []
    newest = releases[-1]
    file = newest.path / "tables" / f"{_TABLE}.parquet"
    with duckdb.connect() as con:
        answer = con.execute(
            f"""select gateway_id, gateway_order, status, reason,
                coalesce(first_release_id, {sql_literal(newest.release_id)}) as release_id, valid_from as as_of_date
            from read_parquet({sql_literal(str(file))}) order by valid_from, gateway_order"""
        )
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def status_on(paths: CommunityPaths, day: date) -> list[dict[str, Any]]:
    """The status of each gateway as it was released on or before a day; none before the first release."""
    latest: dict[str, dict[str, Any]] = {}
    for change in gateway_history(paths):
        if change["as_of_date"] <= day:
            latest[change["gateway_id"]] = change
    return sorted(latest.values(), key=lambda change: change["gateway_order"])
