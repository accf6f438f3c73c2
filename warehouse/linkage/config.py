"""What a community may choose about linkage, with the recommended values, and what a linkage reports.

What belongs here: settings and results. What does not: how they are used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from warehouse.community import Community
from warehouse.community.config import SparkConfig
from warehouse.spark.session import cluster_of


class LinkageConfig(BaseModel):
    """Settings of linkage; `linkage:` in `community.yml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    t_auto: float = Field(
        0.7,
        gt=0,
        lt=1,
        description="Probability from which a guarded pair links by itself; with the guard, a lower one gains recall and costs next to no precision.",
    )
    t_review: float = Field(0.3, gt=0, lt=1, description="Probability from which a pair goes to review.")
    thresholds_published: tuple[float, float, float] = Field(
        (0.5, 0.9, 0.99), description="Thresholds at which the quality table counts links."
    )
    duplicate_free: list[str] = Field(
        default_factory=list,
        description="Issuers (or partners) in which a person has at most one id; one-to-one holds there.",
    )
    state_id_authority: dict[str, str] = Field(
        default_factory=dict, description="Authority behind state_student_id by partner; default one for all."
    )
    deterministic: bool = Field(
        True, description="Whether trusted shared ids and exact agreement link first."
    )
    probabilistic: bool = Field(True, description="Whether Splink links what the rules leave.")
    backend: Literal["duckdb", "spark"] = Field(
        "duckdb", description="Engine on which Splink makes and scores the pairs of a full linkage."
    )
    spark: SparkConfig | None = Field(None, description="The cluster; that of the community.")
    guard: Literal["always", "measured"] = Field(
        "measured",
        description="Whether first names must agree for an automatic link always, or unless the data themselves "
        "show a population without families (no siblings, no co-twins), where the score alone may decide.",
    )
    placeholder_names: list[str] = Field(
        default_factory=list, description="Further words that stand for a missing name, in small letters."
    )
    placeholder_birth_dates: list[str] = Field(
        default_factory=lambda: ["1900-01-01", "1901-01-01", "1899-12-31", "1970-01-01", "1111-11-11"],
        description="Dates (ISO) that stand for a missing birth date.",
    )
    train_minimum: int = Field(
        500, ge=1, description="Fewer source persons than this are scored with the shipped model."
    )
    incremental_from: int = Field(
        50_000,
        ge=0,
        description="Source persons from which a night links only what changed; smaller vaults are linked anew, "
        "so that their outcome does not depend on how deliveries fell into nights.",
    )
    retrain_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of changed source persons after which the model is estimated anew.",
    )
    seed: int = Field(7, description="Seed of Splink's random sampling.")
    maximum_block: int = Field(
        2_000,
        ge=2,
        description="Records that share a blocking value; more common values are not used to block.",
    )
    tie_margin: float = Field(
        0.5, ge=0, description="Match weight (log2) below which two rivals are a tie; ties go to review."
    )

    @classmethod
    def of(cls, community: Community, engine: str = "duckdb") -> LinkageConfig:
        """Settings of a community: its own under `linkage:`, its cluster, and which partners hold a person once.

        Args:
            community: configuration as loaded.
            engine: the engine of the night; linkage follows it unless `linkage.backend` says otherwise.

        Raises:
            pydantic.ValidationError: a setting is wrong.
            SparkMissingError: Spark is asked for and no cluster is named.
        """
        clean = [p.partner_id for p in community.partners.values() if p.duplicate_free]
        own = {"duplicate_free": clean, "backend": engine, **community.config.linkage}
        cluster = cluster_of(community) if own["backend"] == "spark" else None
        return cls.model_validate(own | {"spark": cluster})

    @model_validator(mode="after")
    def _ordered(self) -> LinkageConfig:
        if self.t_review > self.t_auto:
            raise ValueError("t_review must not lie above t_auto")
        if self.backend == "spark" and self.spark is None:
            raise ValueError(
                "linkage on Spark needs the cluster: write `spark: {master: spark://HOST:PORT}` in community.yml"
            )
        return self


@dataclass(frozen=True)
class LinkageReport:
    """Outcome of one linkage; counts only, no identifier.

    Attributes:
        changed: false when nothing was new and the crosswalk was left untouched.
        source_persons: ids of sources that were linked (one per issuer and person).
        persons: distinct person keys in the crosswalk.
        linked_share: share of source persons that share their person key with another, 0 to 1.
        review_pairs: pairs in the grey zone that wait for a decision.
        mode: 'unchanged', 'full' or 'incremental'.
        model_version: version of the model in force, None when only rules were used.
        events: changes of person keys by kind (create, join, merge, split, move, leave, retire, revive).
        seconds: time by stage.
        households: households of the source persons whose home a source gives.
    """

    changed: bool
    source_persons: int
    persons: int
    linked_share: float
    review_pairs: int
    mode: Literal["unchanged", "full", "incremental"]
    model_version: str | None = None
    events: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    households: int = 0
