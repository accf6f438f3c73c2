"""Pass 1 on a Spark cluster: the pairs of `link_record`, made and scored by Splink's Spark backend.

What belongs here: the model in Spark's words, records there and edges back. What does not: the session and its
protections (`warehouse.spark`), the model, which is estimated beside the vault from a bounded sample, so that both
engines score by the same one, and what a score leads to.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import duckdb
import sqlglot
from splink import Linker

from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.model import LinkageModel, quiet_splink
from warehouse.spark.session import session

# What one engine calls otherwise, or lacks: `tl_part_near` is a macro of DuckDB (see `comparisons.MACROS`).
_PART_NEAR = """create or replace temporary function tl_part_near(tokens_l array<string>, tokens_r array<string>)
    returns boolean return (size(tokens_l) > 1 or size(tokens_r) > 1) and exists(tokens_l, a -> exists(tokens_r, b ->
        length(a) >= 5 and length(b) >= 5 and levenshtein(a, b) <= 2 and damerau_levenshtein(a, b) <= 1))"""
_RENAMED = {"JAROWINKLER_SIMILARITY(": "JARO_WINKLER(", "LIST_INTERSECT(": "ARRAY_INTERSECT("}


def score_all_on_spark(
    con: duckdb.DuckDBPyConnection,
    model: LinkageModel,
    config: LinkageConfig,
    by_person: Callable[[list[str]], str],
    keep: float,
) -> None:
    """Make temp table `link_edge` as `score.score_all` does, with pairs made and scored on the cluster.

    Args:
        con: connection with `link_record`.
        model: as estimated; its conditions are told in Spark's words.
        config: where the master is.
        by_person: SQL over tables of predictions that brings them together by pair of source persons.
        keep: pairs below this probability are forgotten.

    Raises:
        SparkMissingError: no PySpark here, or no secret of the cluster.
    """
    quiet_splink()
    # Splink finds a frequency that stands in the records ambiguous on Spark, and takes it from a table of its own.
    records = con.execute(
        f"select * exclude (tf_first_flat, tf_last_flat) replace ({_signed_keys(con)}) from link_record"
    ).to_arrow_table()
    frequencies = {
        part: con.execute(
            f"select {part}, any_value(tf_{part}) as tf_{part} from link_record where {part} is not null group by 1"
        ).to_arrow_table()
        for part in ("first_flat", "last_flat")
    }
    assert config.spark is not None  # noqa: S101 - the settings ask for it with this backend
    from splink.backends.spark import similarity_jar_location

    with session(config.spark, "throughline linkage", {"spark.jars": similarity_jar_location()}) as spark:
        from splink import SparkAPI

        # Splink would write tables between its steps as plain Parquet; persisted blocks are encrypted.
        api = SparkAPI(spark_session=spark, break_lineage_method="persist")
        spark.sql(_PART_NEAR)
        frame = api.register(spark.createDataFrame(records), dataset_display_name="records")
        linker = Linker(frame, in_spark(model.settings), log_level=None)
        for part, table in frequencies.items():
            lookup = api.register(spark.createDataFrame(table), dataset_display_name=f"frequency_of_{part}")
            linker.table_management.register_term_frequency_lookup(lookup, part)
        predicted = linker.inference.predict(threshold_match_probability=keep, warning_mode="never")
        edges = spark.sql(by_person([predicted.physical_name])).toArrow()
    con.register("edges_of_spark", edges)
    con.execute("create or replace temp table link_edge as from edges_of_spark")
    con.unregister("edges_of_spark")


def in_spark(settings: dict[str, Any]) -> dict[str, Any]:
    """Splink settings for Spark that mean what those for DuckDB do."""
    told = copy.deepcopy(settings) | {"sql_dialect": "spark"}
    for comparison in told["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level["sql_condition"] != "ELSE":
                level["sql_condition"] = condition_in_spark(level["sql_condition"])
    for rule in told["blocking_rules_to_generate_predictions"]:
        rule["sql_dialect"] = "spark"
    return told


def condition_in_spark(condition: str) -> str:
    """A condition on a pair as Spark says it; nothing but functions' names differs."""
    told = sqlglot.parse_one(condition, dialect="duckdb").sql(dialect="spark")
    for theirs, mine in _RENAMED.items():
        told = told.replace(theirs, mine)
    return told


def _signed_keys(con: duckdb.DuckDBPyConnection) -> str:
    """Spark has no unsigned numbers: the upper half of the hashes becomes the negative ones."""
    names = [row[0] for row in con.execute("describe link_record").fetchall() if row[1] == "UBIGINT"]
    return ", ".join(
        f"(case when {n} > 9223372036854775807 then {n}::hugeint - 18446744073709551616 else {n} end)::bigint as {n}"
        for n in names
    )
