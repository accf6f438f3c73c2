"""Release assets: published tables and report card, made only when the quality gate let the night through.

What belongs here: calling the release and reporting it. What does not: disclosure control or publishing.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from expectations.model import QualityReport
from orchestration import names, progress
from orchestration.community_resource import CommunityResource
from orchestration.inputs import current_fingerprint
from warehouse.fingerprint import code_version
from warehouse.release import build_release


def build_release_asset(upstream: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The step that publishes; it depends on every published mart."""
    specs = [
        dg.AssetSpec(
            names.RELEASE_KEY,
            deps=list(upstream),
            group_name=names.RELEASE,
            kinds={"parquet", "duckdb"},
            owners=[names.OWNER],
            description="The published tables, after disclosure control, as an immutable directory that `current` points to.",
        ),
        dg.AssetSpec(
            names.REPORT_CARD,
            deps=list(upstream),
            group_name=names.RELEASE,
            kinds={"html"},
            owners=[names.OWNER],
            description="The public report card, made from the published tables alone.",
        ),
    ]

    @dg.multi_asset(specs=specs, name="publish_release", can_subset=False)
    def publish_release(
        context: dg.AssetExecutionContext, community: CommunityResource
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        from expectations.model import QualityReport as Report

        loaded = community.load()
        latest = loaded.paths.quality / f"{context.run.run_id}.json"
        _refuse_if_failed(Report.model_validate_json(latest.read_text()) if latest.is_file() else None)
        ledger = community.ledger(loaded)
        fingerprint = current_fingerprint(loaded, ledger.current_files())
        with progress.step("Release and report card made"):
            report = build_release(
                loaded.paths,
                community.settings(),
                loaded,
                warehouse_db=loaded.paths.warehouse,
                run_id=context.run.run_id,
                deliveries=ledger.delivery_summaries(),
                input_fingerprint=fingerprint,
                code_version=code_version(),
            )
        context.log.info(report.message)
        yield dg.MaterializeResult(
            asset_key=names.RELEASE_KEY,
            metadata={
                "release": report.release_id,
                "new": report.created,
                "path": dg.MetadataValue.path(str(report.path)),
                "tables": len(report.row_counts),
                "dagster/row_count": sum(report.row_counts.values()),
            },
        )
        yield dg.MaterializeResult(
            asset_key=names.REPORT_CARD,
            metadata={"page": dg.MetadataValue.url((report.path / "report" / "index.html").as_uri())},
        )

    return publish_release


def _refuse_if_failed(report: QualityReport | None) -> None:
    """Fail closed: without a clean quality report of this very run nothing is published.

    Raises:
        dagster.Failure: the gate did not run, or a blocking rule failed.
    """
    if report is None:
        raise dg.Failure("The quality gate did not run, so nothing is published; the last release stays.")
    if report.blocking_failures:
        told = "\n".join(
            f"{r.table} {r.rule_id}: {r.error or r.why} Fix: {r.fix}" for r in report.blocking_failures
        )
        raise dg.Failure(f"The quality gate stopped the release; the last release stays.\n{told}")
