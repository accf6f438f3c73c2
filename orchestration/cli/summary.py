"""What a night came to, in words: deliveries, failures, the release, gateway status with its reasons.

What belongs here: tables and sentences for the terminal. What does not: any figure's computation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich.markup import escape
from rich.table import Table

from ingestion.landing import printable_name, scan
from orchestration.cli.console import console
from warehouse.community import Community
from warehouse.ledger import Delivery, Hold, Ledger
from warehouse.settings import Settings

if TYPE_CHECKING:
    from orchestration.night import NightResult

_MOST_LYING = 20
_STATUS_STYLE = {"met": "green", "not_met": "red", "cannot_tell": "yellow"}


def next_delivery(community: Community) -> int:
    """The number that the next delivery will have, to tell afterwards which ones a run took."""
    return Ledger.open(community.paths, Settings()).next_sequence()


def print_deliveries(community: Community, since: int, *, failed: bool = False) -> None:
    """What a run took: a row a partner and feed, and every refused file with its reason and receipt.

    A run that failed may not have come so far as to look, so it says nothing of files that did not come.
    """
    ledger = Ledger.open(community.paths, Settings())
    taken = [d for d in ledger.latest_deliveries(limit=100_000) if d.delivery_seq >= since]
    if not taken and failed:
        return
    if not taken:
        console.print(f"No new delivery. Partners drop files into {community.paths.landing / '<partner>'}")
        return
    groups: dict[tuple[str, str], list[Delivery]] = {}
    for delivery in taken:
        groups.setdefault((delivery.partner_id, delivery.feed_id), []).append(delivery)
    table = Table(title="Deliveries of this run", title_justify="left")
    for heading in ("partner", "feed"):
        table.add_column(heading, overflow="fold")
    for heading in ("files", "refused", "rows", "accepted", "quarantined"):
        table.add_column(heading, justify="right")
    for (partner, feed), items in sorted(groups.items()):
        refused = sum(item.status == "refused" for item in items)
        counts = (
            sum(item.rows_in for item in items),
            sum(item.rows_accepted for item in items),
            sum(item.rows_quarantined for item in items),
        )
        table.add_row(
            partner,
            feed,
            f"{len(items):,}",
            f"[red]{refused:,}[/red]" if refused else "0",
            *(f"{count:,}" for count in counts),
        )
    console.print(table)
    for delivery in taken:
        if delivery.status == "refused":
            _print_refusal(community, delivery)


def _print_refusal(community: Community, delivery: Delivery) -> None:
    why = next((f["why"] for f in delivery.findings if f.get("severity") == "refuse"), "see its receipt")
    console.print(
        f"[red]Refused[/red] {escape(delivery.partner_id)}: {escape(delivery.file_name)}: {escape(why)}"
    )
    if delivery.receipt:
        console.print(f"  receipt {community.paths.data / delivery.receipt}", soft_wrap=True)


def left_lying(community: Community) -> list[dict[str, str]]:
    """Files in the drop folders that are not taken, each with its partner, name, code, why and fix."""
    found = scan(community, Settings())
    told = [
        {"partner": u.partner_id, "file": printable_name(u.path), "code": u.code, "why": u.why, "fix": u.fix}
        for u in found.unknown
    ]
    root = community.paths.landing
    told += [
        {
            "partner": file.relative_to(root).parts[0],
            "file": printable_name(file),
            "code": "settling",
            "why": "It is still being written, or was until just now.",
            "fix": "Nothing: the next run takes it.",
        }
        for file in found.settling
    ]
    return told


def print_left_lying(files: list[dict[str, str]]) -> None:
    """What lies in the drop folders and is not taken; nothing where there is nothing."""
    for file in files[:_MOST_LYING]:
        where = f"{escape(file['partner'])}: {escape(file['file'])}"
        console.print(
            f"[yellow]Not taken[/yellow] {where}: {escape(file['why'])} {escape(file['fix'])}", soft_wrap=True
        )
    if len(files) > _MOST_LYING:
        console.print(
            f"... and {len(files) - _MOST_LYING:,} more; `throughline status --json` lists them all."
        )


def holds_of(community: Community) -> list[Hold]:
    """The deliveries that the quality gate holds now."""
    return Ledger.open(community.paths, Settings()).missed_holds()


def print_held(held: Sequence[str]) -> None:
    """Every held delivery with its rules, and what brings it back; nothing where there is none."""
    for words in held:
        console.print(f"[yellow]Held[/yellow] {escape(words)}", soft_wrap=True)
    if held:
        console.print(
            "  The last good delivery stays in force. A corrected file, or a changed rule, mends it by itself; "
            "`throughline delivery reinstate DELIVERY` puts it back as it is.",
            soft_wrap=True,
        )


def print_failures(failures: list[str]) -> None:
    """Every failure with its reason."""
    for failure in failures:
        console.print(f"[red]Failed[/red] {escape(failure)}")


def print_release(community: Community, result: NightResult) -> None:
    """Which release stands now, its gateway status, and what to do next."""
    receipts = community.paths.receipts
    if result.release is None:
        console.print("[red]Nothing is published yet.[/red]")
        console.print(f"Receipts, with what to mend: {receipts}")
        return
    print_gateways(result.release.path)
    if result.published:
        console.print(f"[green]Published release {result.release.release_id}[/green]")
    elif result.succeeded:
        console.print(f"Nothing new: release {result.release.release_id} stays as it is.")
    else:
        console.print(f"Nothing was published; release {result.release.release_id} stays.")
    console.print(f"  tables       {result.release.path}", soft_wrap=True)
    console.print(f"  report card  {result.release.path / 'report' / 'index.html'}", soft_wrap=True)
    console.print(f"  receipts     {receipts}", soft_wrap=True)
    console.print(
        f"Next: open the report card, or `throughline serve --dir {community.paths.root}`.", soft_wrap=True
    )


def gateway_table(release: Path) -> list[dict[str, Any]]:
    """Gateway status as published, in order; empty where the release has none."""
    file = release / "tables" / "pub_gateway_status_v1.parquet"
    if not file.is_file():
        return []
    with duckdb.connect() as con:
        relation = con.execute(
            "select * from read_parquet($file) order by gateway_order", {"file": str(file)}
        )
        names = [column[0] for column in relation.description or []]
        return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def print_gateways(release: Path) -> None:
    """Gateway status with the reason for each unmet rule."""
    rows = gateway_table(release)
    if not rows:
        return
    table = Table(title="Gateway status", title_justify="left")
    table.add_column("gateway")
    table.add_column("status")
    table.add_column("why", overflow="fold")
    for row in rows:
        status = str(row["status"])
        style = _STATUS_STYLE.get(status, "white")
        table.add_row(
            str(row["gateway_title"]),
            f"[{style}]{status.replace('_', ' ')}[/{style}]",
            escape(str(row.get("reason") or "")),
        )
    console.print(table)
