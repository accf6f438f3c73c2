"""A Spark session on the configured cluster, with protections that no setting takes away.

What belongs here: what a session is started with. What does not: what is asked of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from warehouse.community import Community
from warehouse.community.config import SparkConfig
from warehouse.settings import Settings

# Pseudonymous rows and, for linkage, identifiers pass through the cluster: shuffles, spills and cached blocks rest
# encrypted, and the wire is too. No page of the driver shows a plan, and no event log keeps one.
PROTECTED = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.io.encryption.enabled": "true",
    "spark.io.encryption.keySizeBits": "256",
    "spark.eventLog.enabled": "false",
    "spark.ui.enabled": "false",
}
_DEFAULTS = {
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.session.timeZone": "UTC",
    # Else the driver's planner pairs small tables in its own memory.
    "spark.sql.execution.arrow.localRelationThreshold": "0",
}


class SparkMissingError(RuntimeError):
    """Spark cannot be used as configured; the message says what to do."""


def cluster_of(community: Community) -> SparkConfig:
    """The community's cluster.

    Raises:
        SparkMissingError: it names none.
    """
    if community.config.spark is None:
        raise SparkMissingError(
            "This night is to run on Spark, and community.yml names no cluster: "
            "write `spark: {master: spark://HOST:PORT}`."
        )
    return community.config.spark


def session_options(
    config: SparkConfig, folder: Path, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Everything that a session on the cluster is started with, the cluster's secret included.

    Args:
        config: the cluster; its options go over the defaults, never over the protections.
        folder: of this session alone, on the machine that runs the night.
        extra: what the caller needs besides; goes over the configured options.

    Raises:
        SparkMissingError: no PySpark in this environment, or the cluster's secret is not set.
    """
    # The thin client brings a pyspark too, without what a standalone cluster wants.
    if find_spec("py4j") is None:
        raise SparkMissingError(
            "This night is to run on Spark, and PySpark is not installed here: run `make spark`, "
            "then start it with .venv-spark/bin/throughline."
        )
    secret = Settings().spark_secret
    if not secret:
        raise SparkMissingError(
            "This night is to run on Spark, and THROUGHLINE_SPARK_SECRET is not set. Records of people go to a cluster "
            "only over an authenticated, encrypted wire: set it to the spark.authenticate.secret of the cluster."
        )
    return {
        **_DEFAULTS,
        **config.options,
        **(extra or {}),
        **PROTECTED,
        "spark.master": config.master,
        "spark.authenticate.secret": secret.get_secret_value(),
        "spark.local.dir": str(folder / "local"),
    }


@contextmanager
def session(config: SparkConfig, app: str, extra: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A session of this process's own, ended when left; what it wrote on this machine goes with it.

    Raises:
        SparkMissingError: see `session_options`; or a session is open already, which would lack the protections.
    """
    with tempfile.TemporaryDirectory(prefix="throughline-spark-") as made:
        folder = Path(made)
        options = session_options(config, folder, extra)
        from pyspark.sql import SparkSession

        if SparkSession.getActiveSession() is not None:
            raise SparkMissingError(
                "A Spark session is open in this process already; a night wants one of its own."
            )
        builder = SparkSession.builder.appName(app)
        for name, value in {**options, "spark.sql.warehouse.dir": str(folder / "warehouse")}.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        try:
            spark.sparkContext.setLogLevel("OFF")  # a message may quote a value
            yield spark
        finally:
            spark.stop()


@contextmanager
def defaults_file(config: SparkConfig, extra: Mapping[str, str] | None = None) -> Iterator[Path]:
    """A configuration folder for a program that starts its own session, for `SPARK_CONF_DIR`; gone when left.

    Raises:
        SparkMissingError: see `session_options`.
    """
    with tempfile.TemporaryDirectory(
        prefix="throughline-spark-"
    ) as made:  # for the owner alone: it holds the secret
        folder = Path(made)
        told = "".join(f"{name} {value}\n" for name, value in session_options(config, folder, extra).items())
        (folder / "spark-defaults.conf").write_text(told, encoding="utf-8")
        (folder / "log4j2.properties").write_text("rootLogger.level = off\n", encoding="utf-8")
        yield folder
