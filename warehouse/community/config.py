"""Models of `community.yml` and `partner.yml`; every field says what it means and has the stated default.

What belongs here: choices of a community. What does not: file layouts and machine settings.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# Each has an indicator of the same name, its headline by default.
OUTCOMES = (
    "kindergarten_readiness",
    "early_grade_reading",
    "middle_grade_math",
    "high_school_graduation",
    "postsecondary_enrollment",
    "postsecondary_completion",
    "employment",
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SchoolCalendar(_Frozen):
    """Limits of the school year, named by its spring year."""

    first_month: int = Field(7, ge=1, le=12, description="Month in which a school year begins.")
    graduation_cutoff: str = Field(
        "08-31", description="Last day (MM-DD) that counts for on-time graduation."
    )


class ComparabilityBreak(_Frozen):
    """From a cohort year on an indicator no longer compares with the years before."""

    indicator_id: str = Field(description="The indicator.")
    first_year: int = Field(description="First cohort year of the new way of measuring.")
    why: str = Field(description="What changed: test, cut score, cohort rule; in words for residents.")


class Equating(_Frozen):
    """Results of two tests, or of one test before and after its cut score changed, that do compare."""

    instrument_id: str = Field(description="One test.")
    equals_instrument_id: str = Field(description="The other test, or the same one where its cut changed.")
    subject: str | None = Field(None, description="Only in this subject; all of them where empty.")
    source: str = Field(description="The study or ruling that says so.")


class IndicatorChoice(_Frozen):
    """Which indicators the community answers for, and from when it measures change."""

    core: dict[str, str | list[str]] = Field(
        default_factory=lambda: dict[str, str | list[str]](zip(OUTCOMES, OUTCOMES, strict=True)),
        description="Core indicator of each of the seven outcomes, or several: the first is the headline.",
    )
    priority: list[str] = Field(
        default_factory=list, description="Core indicators that get the first attention."
    )
    contributing: list[str] = Field(default_factory=list, description="Contributing indicators put first.")
    adjacent: list[str] = Field(
        default_factory=list,
        description="Measure ids of adjacent-sector outcomes; direction by prefix '-' (lower).",
    )
    baseline_years: dict[str, int] = Field(
        default_factory=dict,
        description="Baseline cohort year by indicator; default: first with enough coverage.",
    )
    comparability_breaks: list[ComparabilityBreak] = Field(
        default_factory=list,
        description="Years from which an indicator is measured anew; a change of test or cut is seen anyway.",
    )
    equating: list[Equating] = Field(
        default_factory=list, description="Tests whose results compare in spite of a change of test or cut."
    )
    parameters: dict[str, float | int | str | bool] = Field(
        default_factory=dict, description="Values that replace the defaults of seeds/indicator_parameter.csv."
    )

    def core_of(self, outcome: str) -> list[str]:
        """Core indicators of an outcome, the headline first; none where none is chosen."""
        chosen = self.core.get(outcome, [])
        return [chosen] if isinstance(chosen, str) else chosen


class PrivacyConfig(_Frozen):
    """What is protected before anything is published."""

    minimum_n: int = Field(
        10,
        ge=1,
        description="Smaller groups are withheld; the strictest of this, the policy and the partners' agreements rules.",
    )
    policy: str = Field(
        "default", description="Disclosure policy: a preset of `throughline disclosure`, or a YAML file."
    )
    minimum_coverage: float = Field(0.8, ge=0, le=1, description="Below it a rate is 'not enough data'.")
    complementary: bool = Field(True, description="Whether complementary suppression is applied.")
    public_counts: str | None = Field(
        None,
        description="CSV in the community's folder of populations that everybody can look up, such as enrollment: keys of the rate table (absent: all) and people.",
    )


class GatewayReadings(_Frozen):
    """Readings of the framework's ambiguous words; the strict reading is the default."""

    edition: Literal["six_gateway"] = Field(
        "six_gateway",
        description="Edition of the framework that is judged by; of no other are the benchmarks public.",
    )
    benchmarks_required: float = Field(
        1.0, gt=0, le=1, description="Share of a gateway's benchmarks to be met."
    )
    cumulative: bool = Field(True, description="Whether earlier gateways must be met first.")
    pillar_reading: Literal["each_pillar", "any_four"] = Field("each_pillar", description="PRF-BENCH.")
    trend_reading: Literal["statistical", "plain"] = Field(
        "statistical", description="Maintained or improved."
    )
    comparison: Literal["baseline", "previous", "trend"] = Field(
        "baseline", description="Compared with what; trend is the slope over the last years."
    )
    trend_years: int = Field(5, ge=3, description="Cohort years that a trend looks at, the latest included.")
    outcome_reading: Literal["headline", "any", "all", "most"] = Field(
        "headline", description="Which of an outcome's core indicators must be maintained or improved."
    )
    core_count_unit: Literal["outcome", "indicator"] = Field(
        "outcome", description="Whether four of seven counts outcomes, or core indicators one by one."
    )
    gap_count_unit: Literal["group", "dimension", "outcome"] = Field(
        "group",
        description="What counts as one gap; a dimension or outcome counts once, and only if no gap in it widened.",
    )
    stricter_evidence_counts: bool = Field(True, description="Where attestation and measurement disagree.")
    practical_margin: float = Field(0.02, ge=0, description="Practical margin, as a share (0.02 = 2 points).")
    outcomes_required: int = Field(4, ge=1, le=7, description="Outcomes maintained or improved.")
    gaps_required_ongoing: int = Field(2, ge=0, description="Gaps reduced for the ongoing proof point.")
    gaps_required_transformation: int = Field(4, ge=0, description="Gaps reduced for systems transformation.")
    include_secondary_benchmarks: bool = Field(
        True, description="Whether the *-INV-* rows of the first three count."
    )


RaceGroup = Literal[
    "american_indian_or_alaska_native",
    "asian",
    "black_or_african_american",
    "hispanic_or_latino",
    "middle_eastern_or_north_african",
    "native_hawaiian_or_other_pacific_islander",
    "white",
    "two_or_more",
]


class ReferenceGroups(_Frozen):
    """With whom groups are compared; the best group of at least 30 people where nothing is said.

    A named group that has nobody gives way to the best one. `all_others` is everybody but the group, `whole` everybody;
    crossings of dimensions take them where each of the dimensions does.
    """

    race: Literal[RaceGroup, "all_others", "whole"] | None = Field(
        None, description="Race group that the others are compared with, or all_others or whole."
    )
    gender: Literal["female", "male", "nonbinary_or_other", "all_others", "whole"] | None = Field(
        None, description="Gender that the others are compared with, or all_others or whole."
    )
    economic: Literal["disadvantaged", "not_disadvantaged", "all_others", "whole"] | None = Field(
        None, description="Economic group that the other is compared with, or all_others or whole."
    )


class AlertConfig(_Frozen):
    """Who is told when something needs a person."""

    kinds: tuple[Literal["failure", "block", "held", "late", "recovery"], ...] = Field(
        ("failure", "block", "held", "late", "recovery"),
        description="A night failed; the gate refused to publish; it holds a delivery; a feed is past its day; all is well again.",
    )
    urls: list[str] = Field(
        default_factory=list,
        description="Apprise URLs of e-mail and webhooks; ${NAME} stands for an environment variable with the secret.",
    )


class QualityConfig(_Frozen):
    """Data quality rules, as this community wants them."""

    limits: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = Field(
        default_factory=dict,
        description="Figures of rules by rule and name, in place of the shipped ones; `throughline quality rules` lists them.",
    )


class SparkConfig(_Frozen):
    """The Apache Spark cluster on which nights run with `--engine spark`."""

    master: str = Field(
        pattern=r"^(spark://|k8s://|yarn$)", description="The cluster's master, as spark://host:port."
    )
    folder: Path | None = Field(
        None,
        description="Folder that every worker reaches under this path, for the tables that go there and back; default data/tmp.",
    )
    options: dict[str, str] = Field(
        default_factory=dict,
        description="Further settings of the session (spark.executor.memory); those that protect records stand fast.",
    )


class CommunityConfig(_Frozen):
    """`community.yml`."""

    community_id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Short id; never changes.")
    name: str = Field(description="Name of the partnership.")
    geography_id: str = Field("community", description="Id of the whole geography in published tables.")
    geography_name: str = Field("The whole community", description="Name of the whole geography.")
    geographies: list[str] = Field(default_factory=list, description="Census GEO_IDs that belong to it.")
    time_zone: str = Field("UTC", description="IANA time zone of the schedule.")
    nightly_at: str = Field("02:30", description="Local time of the nightly run, HH:MM.")
    first_school_year: int = Field(2005, description="Earliest school year kept.")
    languages: list[str] = Field(
        default_factory=lambda: ["en", "es"], description="Languages of the report card."
    )
    calendar: SchoolCalendar = Field(default_factory=SchoolCalendar, description="School-year limits.")
    indicators: IndicatorChoice = Field(default_factory=IndicatorChoice, description="Indicators chosen.")
    privacy: PrivacyConfig = Field(default_factory=PrivacyConfig, description="Disclosure settings.")
    gateways: GatewayReadings = Field(default_factory=GatewayReadings, description="Gateway readings.")
    reference_groups: ReferenceGroups = Field(
        default_factory=ReferenceGroups, description="Reference groups of disparity gaps."
    )
    cut_scores: list[dict[str, str | float | int]] = Field(
        default_factory=list,
        description="Rows {instrument_id, subject, grade_level, first_year, last_year, level | cut_score} that count as met.",
    )
    linkage: dict[str, object] = Field(
        default_factory=dict, description="Settings of warehouse.linkage.LinkageConfig."
    )
    quality: QualityConfig = Field(
        default_factory=QualityConfig, description="Figures of data quality rules."
    )
    spark: SparkConfig | None = Field(None, description="The cluster of nights with `--engine spark`.")
    owner_email: str | None = Field(
        None, description="Role mailbox that gets the alerts, by the server in THROUGHLINE_SMTP_URL."
    )
    alerts: AlertConfig = Field(default_factory=AlertConfig, description="Alerts by e-mail and webhook.")
    publish: list[dict[str, object]] = Field(
        default_factory=list,
        description="Where releases go besides the community's folder: {target: module of warehouse/publish, ...options}.",
    )


class Agreement(_Frozen):
    """The written agreement under which a partner's data is held."""

    agreement_id: str = Field("unsigned", description="Reference of the signed document.")
    purposes: list[str] = Field(default_factory=list, description="Purposes allowed.")
    feeds: list[str] = Field(default_factory=list, description="Feeds allowed; empty allows all configured.")
    effective: date | None = Field(None, description="First day in force.")
    expires: date | None = Field(None, description="Last day in force; nothing is taken after it.")
    retention_days: int | None = Field(None, description="Days after which data must be destroyed.")
    minimum_n: int | None = Field(None, description="Minimum group size this partner asks for.")
    student_fields: list[str] = Field(
        default_factory=list,
        description="Columns of mart_person_journey that the partner may see of people it serves; none by default.",
    )


class PartnerConfig(_Frozen):
    """`partners/<partner>/partner.yml`."""

    partner_id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Short id; never changes.")
    name: str = Field(description="Name of the organization.")
    sector: Literal[
        "early_childhood", "k12", "postsecondary", "workforce", "program", "community", "state", "backbone"
    ]
    contact_role: str = Field(
        "data steward", description="Role that answers questions; never a person's name."
    )
    duplicate_free: bool = Field(False, description="Whether one id is one person throughout.")
    issuer: str | None = Field(None, description="Whose person ids its files carry; default its own.")
    agreement: Agreement = Field(default_factory=Agreement, description="Agreement in force.")
