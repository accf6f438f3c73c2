"""Lake assets: one step takes everything that has arrived, and tells what changed feed by feed.

What belongs here: calling acceptance and reporting it. What does not: acceptance itself (`ingestion`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

import ingestion
from ingestion.contracts import load_contracts
from ingestion.standing import feed_standings
from orchestration import names, progress
from orchestration.assets.landing import freshness_policy
from orchestration.checks import holding_checks, holding_spec
from orchestration.community_resource import CommunityResource, NightLock
from orchestration.data_room import write_data_room
from orchestration.holding import hold_bad_deliveries, judge_again, tell_partners
from orchestration.inputs import current_fingerprint, feed_fingerprint, last_release_fingerprint
from orchestration.names import lake_key
from warehouse.agreements import withdraw_overdue
from warehouse.community import Community
from warehouse.ledger import LakeFile, Ledger
from warehouse.settings import Settings


def lake_specs(landing: Sequence[dg.AssetSpec]) -> list[dg.AssetSpec]:
    """One asset a feed, downstream of every partner that drops it; skipped where nothing changed."""
    upstream: dict[str, list[dg.AssetKey]] = defaultdict(list)
    for spec in landing:
        upstream[spec.key.path[-1]].append(spec.key)
    return [
        dg.AssetSpec(
            lake_key(feed_id),
            deps=upstream.get(feed_id, []),
            description=f"{contract.description} Accepted rows of all partners, without identifiers; {contract.grain}.",
            group_name=names.LAKE,
            kinds={"parquet"},
            owners=[names.OWNER],
            metadata={
                "dagster/column_schema": _column_schema(feed_id),
                "delivery mode": contract.delivery_mode,
            },
            tags={"stage": contract.stage},
            freshness_policy=freshness_policy(contract.cadence),
            skippable=True,
        )
        for feed_id, contract in sorted(load_contracts().items())
    ]


def build_lake_asset(landing: Sequence[dg.AssetSpec]) -> dg.AssetsDefinition:
    """The step that takes deliveries; it yields nothing, and so ends the night, when nothing changed."""

    @dg.multi_asset(
        specs=lake_specs(landing),
        check_specs=[holding_spec(feed_id) for feed_id in sorted(load_contracts())],
        name="accept_deliveries",
        can_subset=False,
    )
    def accept_deliveries(
        context: dg.AssetExecutionContext, community: CommunityResource, night_lock: NightLock
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        loaded, settings = community.load(), community.settings()
        with progress.step("Deliveries taken and judged"):
            outcomes = ingestion.receive_all(loaded, community.settings())
        for outcome in outcomes:
            context.log.info(outcome.summary)
        ledger = community.ledger(loaded)
        for delivery in withdraw_overdue(loaded, ledger, community.settings()):
            context.log.warning(
                f"Delivery {delivery.delivery_id} of {delivery.partner_id} was held as long as its agreement allows and is "
                f"out of force; `throughline agreement destroy --partner {delivery.partner_id} --overdue` removes it."
            )
        _observe_landing(context, loaded, ledger, settings.clock().date())
        for hold in judge_again(loaded, settings, ledger):
            context.log.info(f"A rule was changed, so it is judged again: {hold}")
        changed = _is_changed(loaded, ledger)
        if changed:
            _mend(context, loaded, settings, ledger)
            with progress.step("Deliveries held against the rules of their feeds"):
                held = hold_bad_deliveries(loaded, settings, ledger)
            for hold in held:
                context.log.warning(f"Held, the last good one stays in force: {hold}")
            if held:
                changed = _is_changed(loaded, ledger)
                _mend(context, loaded, settings, ledger)
        tell_partners(loaded, settings, ledger)
        yield from holding_checks(ledger.missed_holds())
        if not changed:
            context.log.info("Nothing new since the last release: nothing to build, nothing to publish.")
            if loaded.paths.warehouse.is_file():
                write_data_room(
                    loaded, community.settings(), ledger
                )  # a day has passed: lateness may have changed
            return
        yield from _materializations(loaded, ledger.current_files())

    return accept_deliveries


def _is_changed(community: Community, ledger: Ledger) -> bool:
    """Whether what is in force is not what the present release was made of."""
    now = current_fingerprint(community, ledger.current_files())
    return now != last_release_fingerprint(community, ledger)


def _mend(
    context: dg.AssetExecutionContext, community: Community, settings: Settings, ledger: Ledger
) -> None:
    for outcome in ingestion.mend_lake(community, settings, ledger):
        context.log.warning(f"A damaged lake file was made again from its original. {outcome.summary}")


def _observe_landing(
    context: dg.AssetExecutionContext, community: Community, ledger: Ledger, today: date
) -> None:
    """Show on each partner's landing asset how it stands, also on nights on which it sent nothing."""
    for standing in feed_standings(community, ledger, today):
        receipts = community.paths.receipts / standing.partner_id / "index.html"
        context.log_event(
            dg.AssetObservation(
                names.landing_key(standing.partner_id, standing.feed_id),
                metadata={
                    "state": standing.state,
                    "last delivery": str(standing.last_delivery or "never"),
                    "next due": str(standing.due or "not known before the first delivery"),
                    "deliveries": standing.deliveries,
                    "rows": standing.rows,
                    **({"acceptance rate": standing.acceptance} if standing.acceptance is not None else {}),
                    **({"rows against usual": standing.trend} if standing.trend is not None else {}),
                    "receipts": dg.MetadataValue.path(str(receipts)),
                },
            )
        )


def _materializations(community: Community, files: Sequence[LakeFile]) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    by_feed: dict[str, list[LakeFile]] = defaultdict(list)
    for file in files:
        by_feed[file.feed_id].append(file)
    for feed_id in sorted(load_contracts()):
        current = by_feed.get(feed_id, [])
        yield dg.MaterializeResult(
            asset_key=lake_key(feed_id),
            data_version=dg.DataVersion(feed_fingerprint(current)),
            metadata={
                "dagster/row_count": sum(file.rows for file in current),
                "partners": len({file.partner_id for file in current}),
                "deliveries": len({file.delivery_id for file in current}),
                "receipts": dg.MetadataValue.path(str(community.paths.receipts)),
            },
        )


def _column_schema(feed_id: str) -> dg.TableSchema:
    contract = load_contracts()[feed_id]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, type=column.type, description=column.meaning)
            for column in contract.columns
            if column.class_ != "identifier"
        ]
    )
