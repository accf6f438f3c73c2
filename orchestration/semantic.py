"""Questions to the semantic layer, answered by MetricFlow from a release.

What belongs here: opening MetricFlow on a release, asking it. What does not: definitions (`dbt_project/semantic`),
arguments and printing (`orchestration.cli.metrics`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from orchestration.dbt_manifest import semantic_project
from warehouse.community import ConfigurationError
from warehouse.release.files import DATABASE


class MetricsError(ValueError):
    """A question that the semantic layer cannot answer; says why, in MetricFlow's words."""


@dataclass(frozen=True)
class Question:
    """What is asked: metrics with grouping names and filters, or a saved query.

    Attributes:
        metrics: names of metrics.
        group_by: names such as `indicator` or `rate__race_group`; what is not named stands at its total.
        where: conditions such as `{{ Dimension('rate__cohort_year') }} = 2024`.
        saved: name of a saved query, to which conditions, order and limit still apply.
        order: names to sort by, `-` before a name for the other way round.
        limit: most rows.
    """

    metrics: Sequence[str] = ()
    group_by: Sequence[str] = ()
    where: Sequence[str] = ()
    saved: str | None = None
    order: Sequence[str] = ()
    limit: int | None = None


@dataclass(frozen=True)
class Answer:
    """One row a combination of the grouping names; a figure that is withheld or that no one row gives is None."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class SemanticLayer:
    """MetricFlow on one release; the release's file is read, never locked or written."""

    def __init__(self, release: Path) -> None:
        """Open the release in folder `release`.

        Raises:
            ConfigurationError: MetricFlow is not installed here.
        """
        if find_spec("dbt_metricflow") is None:
            raise ConfigurationError(
                "MetricFlow is not installed here; `make install GROUPS='--no-dev --group semantic'` adds it."
            )
        project = semantic_project()
        os.environ |= {
            "THROUGHLINE_RELEASE": str(release.resolve() / DATABASE),
            "DBT_LOG_LEVEL_FILE": "none",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }
        # Not the `mf` command: it asks the package index for news of itself at each start.
        from dbt_metricflow.cli.cli_configuration import CLIConfiguration

        configuration = CLIConfiguration()
        configuration.setup(project, project, configure_file_logging=False)
        self._manifest = configuration.semantic_manifest
        self._engine = configuration.mf

    def metrics(self) -> dict[str, str]:
        """Descriptions of the metrics by name; those that only serve others are left out."""
        found = [metric for metric in self._manifest.metrics if metric.type.value == "derived"]
        return {metric.name: metric.description or "" for metric in found}

    def grouping_names(self, metrics: Sequence[str]) -> list[str]:
        """Names by which all of these metrics may be grouped and filtered."""
        names = {entity.name for entity in self._engine.entities_for_metrics(list(metrics))}
        names |= {d.dunder_name for d in self._engine.simple_dimensions_for_metrics(list(metrics))}
        return sorted(names)

    def saved_queries(self) -> dict[str, str]:
        """Descriptions of the saved queries by name."""
        return {query.name: query.description or "" for query in self._manifest.saved_queries}

    def ask(self, question: Question) -> Answer:
        """Answer a question.

        Raises:
            MetricsError: a name is unknown, or a condition cannot be read.
        """
        from dbt_common.exceptions import DbtRuntimeError
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
        from metricflow_semantics.errors.error_classes import MetricFlowException

        try:
            request = MetricFlowQueryRequest.create(
                saved_query_name=question.saved,
                metric_names=list(question.metrics) or None,
                group_by_names=list(question.group_by) or None,
                where_constraints=list(question.where) or None,
                order_by_names=list(question.order) or None,
                limit=question.limit,
            )
            table = self._engine.query(request).result_df
        except (MetricFlowException, DbtRuntimeError) as error:
            raise MetricsError(_in_words(error)) from error
        if table is None:
            raise MetricsError("MetricFlow ran the question and gave no table.")
        return Answer(tuple(table.column_names), tuple(tuple(row) for row in table.rows))


def _in_words(error: Exception) -> str:
    """MetricFlow's message, without the Python stack that it quotes."""
    message, _, rest = str(error).partition("Got exception:")
    return " ".join([message.strip(), "It cannot be read as a condition." if rest else ""]).strip()
