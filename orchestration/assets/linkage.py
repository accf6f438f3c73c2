"""The linkage asset: the person crosswalk, the keys of households and counts: all that leaves the vault.

What belongs here: calling linkage and reporting it. What does not: linkage itself (`warehouse.linkage`).
"""

import dagster as dg

from ingestion.contracts import load_contracts
from orchestration import names, progress
from orchestration.community_resource import CommunityResource
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.spark.session import SparkMissingError


@dg.asset(
    key=names.CROSSWALK,
    deps=[
        names.lake_key(feed_id)
        for feed_id, contract in sorted(load_contracts().items())
        if contract.has_person
    ],
    group_name=names.VAULT,
    kinds={"duckdb", "splink"},
    owners=[names.OWNER],
    description=(
        "Which source records belong to one person, and which to one household. Identifiers stay in the encrypted "
        "vault; source key to person key with its confidence, and to household key, is all that leaves it."
    ),
)
def person_crosswalk(context: dg.AssetExecutionContext, community: CommunityResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Link the people of the deliveries in force."""
    loaded = community.load()
    deliveries = community.ledger(loaded).current_deliveries()
    settings = community.settings()
    try:
        config = LinkageConfig.of(loaded, settings.engine)
        with progress.step("Records of one person linked"):
            report = run_linkage(loaded.paths, settings, config, deliveries, context.run.run_id)
    except SparkMissingError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    return dg.MaterializeResult(
        metadata={
            "source persons": report.source_persons,
            "persons": report.persons,
            "households": report.households,
            "linked share": report.linked_share,
            "in review": report.review_pairs,
            "changed": report.changed,
        }
    )
