"""Release assets: published tables and report card, made only when the quality gate let the night through; targets.

What belongs here: calling the release and the targets, and reporting them. What does not: their work.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from expectations.model import QualityReport
from orchestration import names, progress
from orchestration.checks import stopped
from orchestration.community_resource import CommunityResource
from orchestration.inputs import current_fingerprint
from warehouse.fingerprint import code_version
from warehouse.publish import publish_release
from warehouse.release import build_release, find_release


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
        raise dg.Failure(stopped(report))


@dg.asset(
    key=names.TARGETS,
    deps=[names.RELEASE_KEY],
    group_name=names.RELEASE,
    kinds={"postgres"},
    owners=[names.OWNER],
    description="The current release in every place that community.yml names besides the community's folder.",
)
def publish_to_targets(
    context: dg.AssetExecutionContext, community: CommunityResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Give the current release to every configured target; also on a night without a new one, to make good a failure.

    Raises:
        dagster.Failure: a target failed; it keeps what it had, and the others have the release.
    """
    loaded = community.load()
    with progress.step("Publishing targets served"):
        outcomes = publish_release(loaded, community.settings(), find_release(loaded.paths).path)
    for outcome in outcomes:
        context.log.info(f"{outcome.target}: {outcome.message}")
    failed = [outcome for outcome in outcomes if not outcome.published]
    if failed:
        raise dg.Failure("\n".join(f"{o.target}: {o.message}" for o in failed), allow_retries=False)
    return dg.MaterializeResult(metadata={outcome.target: outcome.message for outcome in outcomes})
