"""The quality gate as Dagster asset checks: one check a table, blocking where its rules block.

What belongs here: running the suites and translating results. What does not: rules (`expectations/suites`).
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from expectations.model import QualityReport, RuleResult, Suite, load_suites
from ingestion.contracts import load_contracts
from orchestration import names, progress
from orchestration.community_resource import CommunityResource
from warehouse.ledger import Hold

GATE_STEP, BLOCKING = "quality_gate", "__block"


def stopped(report: QualityReport) -> str:
    """Why the gate lets nothing be published: every broken blocking rule, one a line."""
    told = [f"{r.table} {r.rule_id}: {r.error or r.why} Fix: {r.fix}" for r in report.blocking_failures]
    return "\n".join(["The quality gate stopped the release; the last release stays.", *told])


def _asset_key(table: str) -> dg.AssetKey:
    schema, name = table.split(".")
    if schema == "lake":
        return names.lake_key(name)
    # The schema of the marts holds two layers; the graph keeps them apart.
    of_indicators = schema == "marts" and name.startswith(("ind_", "fct_indicator_"))
    return dg.AssetKey(["indicators" if of_indicators else schema, name])


def _check_name(suite: Suite, severity: str) -> str:
    return f"{suite.table.replace('.', '__')}__{severity}"


def quality_specs(known: set[dg.AssetKey]) -> list[dg.AssetCheckSpec]:
    """Two checks a table at most: its blocking rules, and those that only warn."""
    specs = []
    for suite in load_suites():
        key = _asset_key(suite.table)
        if key not in known:
            continue
        for severity in ("block", "warn"):
            rules = [rule for rule in suite.rules if rule.severity == severity]
            if rules:
                specs.append(
                    dg.AssetCheckSpec(
                        _check_name(suite, severity),
                        asset=key,
                        # A check may block only what no step upstream of the gate makes, or the graph would
                        # turn in a circle; a failed rule of any table stops the release itself.
                        blocking=severity == "block" and key.path[0] == "marts",
                        description=f"Great Expectations, {len(rules)} rules: "
                        + ", ".join(r.id for r in rules),
                    )
                )
    return specs


def holding_spec(feed_id: str) -> dg.AssetCheckSpec:
    """The check of a feed that says which deliveries are held; it never blocks, since the rest stands without them."""
    return dg.AssetCheckSpec(
        f"lake__{feed_id}__held",
        asset=names.lake_key(feed_id),
        description="No delivery is held for breaking a blocking rule of the feed.",
    )


def holding_checks(holds: Sequence[Hold]) -> Iterator[dg.AssetCheckResult]:
    """The result of each feed's check, also in a night that ends early."""
    for feed_id in sorted(load_contracts()):
        mine = [hold for hold in holds if hold.feed_id == feed_id]
        yield dg.AssetCheckResult(
            passed=not mine,
            check_name=holding_spec(feed_id).name,
            asset_key=names.lake_key(feed_id),
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(map(str, mine)) or None,
            metadata={"held": len(mine), **{hold.delivery_id: str(hold) for hold in mine}},
        )


def build_quality_checks(known: set[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """The step that runs all suites and yields the checks of every table."""
    specs = quality_specs(known)

    @dg.multi_asset_check(specs=specs, name=GATE_STEP)
    def quality_gate(
        context: dg.AssetCheckExecutionContext, community: CommunityResource
    ) -> Iterator[dg.AssetCheckResult]:
        # The library takes seconds to import, so only the step that validates pays for it.
        progress.say("Running quality suites")
        from expectations.run import run_gate

        loaded = community.load()
        with progress.step("Quality suites run"):
            today = community.settings().clock().date()
            report = run_gate(
                loaded.paths.warehouse,
                context.run.run_id,
                today,
                loaded.paths.quality,
                held=[str(hold) for hold in community.ledger(loaded).missed_holds()],
                limits=loaded.config.quality.limits,
            )
        for spec in specs:
            yield _result(spec, report)
        if any(r.table.startswith("marts.") for r in report.blocking_failures):
            # Dagster ends the step here anyway, but would name the check without its reason.
            raise dg.Failure(stopped(report))

    return quality_gate


def _result(spec: dg.AssetCheckSpec, report: QualityReport) -> dg.AssetCheckResult:
    table, severity = spec.name.rsplit("__", 1)
    rules = [r for r in report.results if r.table.replace(".", "__") == table and r.severity == severity]
    failed = [r for r in rules if not r.success]
    level = dg.AssetCheckSeverity.ERROR if severity == "block" else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=not failed,
        check_name=spec.name,
        asset_key=spec.asset_key,
        severity=level,
        description="; ".join(_sentence(r) for r in failed) or None,
        metadata={"rules": len(rules), "failed": len(failed), **{r.rule_id: _sentence(r) for r in failed}},
    )


def _sentence(result: RuleResult) -> str:
    rows = f" ({result.unexpected_n:,} rows)" if result.unexpected_n else ""
    return f"{result.rule_id}{rows}: {result.error or result.why} Fix: {result.fix} Ask: {result.owner}."
