"""The linkage model: estimated from the data, blended with shipped values, versioned, kept beside the vault.

What belongs here: training and the model as an artefact without identifiers. What does not: scoring pairs.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

from warehouse.linkage.blocking import blocking_rules
from warehouse.linkage.comparisons import M_CEILING, MACROS, U_AS_SHIPPED, comparisons
from warehouse.linkage.config import LinkageConfig

_U_PAIRS = 200_000
_EM_PAIRS = 1_000_000
# Share of true pairs that agree in full on name and birth date; measured on children's records.
_EXACT_RECALL = 0.75
_FLOOR = 1e-6
# What EM is blocked by, in order of preference, and what else identifies where few records know a birth date.
_EM_BLOCKS = (("dob_text",), ("first_flat", "last_flat"))
_EM_BLOCKS_WITHOUT = (
    ("first_flat", "last_flat"),
    ("street", "birth_year"),
    ("street", "last_flat"),
    ("last_flat", "zip"),
)
_ANCHORS = ("dob_text", "street", "zip", "birth_year", "city")


@dataclass(frozen=True)
class LinkageModel:
    """A model: Splink settings with probabilities, its version (hash of them), and how it came to be."""

    settings: dict[str, Any]
    version: str
    origin: str


def quiet_splink() -> None:
    """Keep Splink from printing: its messages may quote values."""
    logging.getLogger("splink").setLevel(logging.ERROR)


def register(con: duckdb.DuckDBPyConnection, table: str) -> Any:
    """Hand a table of the in-memory database to Splink under a harmless name."""
    return register_all(con, table)[0]


def register_all(con: duckdb.DuckDBPyConnection, *tables: str) -> list[Any]:
    """The same for several tables that are linked with each other."""
    quiet_splink()
    for macro in MACROS:
        con.execute(macro)
    api = DuckDBAPI(connection=con)
    for table in tables:
        con.execute(f"drop view if exists records_of_{table}")
    return [api.register(con.table(table), dataset_display_name=f"records_of_{table}") for table in tables]


def base_settings(prior: float, *, families: bool) -> dict[str, Any]:
    """Splink settings with shipped probabilities.

    Args:
        prior: probability that two eligible records taken at random are one person.
        families: see `comparisons`.
    """
    made: dict[str, Any] = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        comparisons=comparisons(families=families),
        blocking_rules_to_generate_predictions=[*blocking_rules()],  # type: ignore[list-item]
        probability_two_random_records_match=prior,
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
        additional_columns_to_retain=["node"],
        linker_uid="throughline",
    ).create_settings_dict("duckdb")
    return made


def train(con: duckdb.DuckDBPyConnection, config: LinkageConfig, *, families: bool) -> LinkageModel:
    """Estimate the model from temp table `link_record`, or take the shipped one where there is too little.

    u by random sampling, m by expectation maximisation in two differently blocked sessions, as Splink does it.
    One record a source person takes part, so that a person's own history does not count as agreement.

    Args:
        con: connection with `link_record`.
        config: linkage settings.
        families: whether co-twins may be among the pairs to learn from; they then may not teach that first
            names of one person differ.
    """
    con.execute(
        """create or replace table training_record as
        select * from link_record qualify row_number() over (partition by node order by delivery_seq desc, unique_id) = 1
        order by unique_id"""
    )
    try:
        prior = _prior(con)
        settings = base_settings(prior, families=families)
        people = con.execute("select count(*) from training_record").fetchone()
        if not people or people[0] < config.train_minimum:
            return _versioned(settings, "shipped")
        return _versioned(_estimated(con, settings, config, families=families), "estimated")
    finally:
        con.execute("drop table if exists training_record")


def _prior(con: duckdb.DuckDBPyConnection) -> float:
    """Expected share of matches among eligible pairs, from pairs that agree in full name and birth date.

    Where most records have no birth date, what they have in its place.
    """
    anchor = _anchor(con)
    row = con.execute(
        f"""with size as (select source, duplicate_free, count(*) as n from training_record group by 1, 2),
        total as (select sum(n)::double as n from size),
        eligible as (
            select any_value(t.n) * (any_value(t.n) - 1) / 2
                - coalesce(sum(s.n::double * (s.n - 1) / 2) filter (where s.duplicate_free), 0) as n
            from size as s cross join total as t
        ),
        exact as (
            select coalesce(sum(n * (n - 1) / 2), 0) - coalesce(sum(within), 0) as n from (
                select sum(n) as n, sum(n * (n - 1) / 2) filter (where duplicate_free) as within from (
                    select first_flat, last_flat, {anchor} as anchor, source, duplicate_free, count(*)::double as n
                    from training_record
                    where first_flat is not null and last_flat is not null and {anchor} is not null group by all
                ) group by first_flat, last_flat, anchor
            )
        )
        select exact.n / {_EXACT_RECALL}, eligible.n from exact, eligible"""
    ).fetchone()
    matches, eligible = (float(row[0] or 0), float(row[1] or 0)) if row else (0.0, 0.0)
    return min(0.1, max(matches, 1.0) / max(eligible, 10.0))


def _anchor(con: duckdb.DuckDBPyConnection) -> str:
    """The column that, beside a full name, tells people apart: the first that most records have."""
    counts = con.execute(
        f"select count(*), {', '.join(f'count({name})' for name in _ANCHORS)} from training_record"
    ).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    return next(
        (n for n, known in zip(_ANCHORS, counts[1:], strict=True) if 2 * known >= counts[0]), "first_flat"
    )


def _estimated(
    con: duckdb.DuckDBPyConnection, settings: dict[str, Any], config: LinkageConfig, *, families: bool
) -> dict[str, Any]:
    """Splink's estimates, blended with the shipped values."""
    linker = Linker(register(con, "training_record"), copy.deepcopy(settings), log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=_U_PAIRS, seed=config.seed)
    for columns in _EM_BLOCKS if _anchor(con) == "dob_text" else _EM_BLOCKS_WITHOUT:
        rule = " and ".join(f"l.{column} = r.{column}" for column in columns)
        rule += " and (l.source <> r.source or not l.duplicate_free)"
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule,
                estimate_without_term_frequencies=True,
                max_pairs=_EM_PAIRS,
                record_sample_proportion=1.0,
            )
        except Exception as error:  # Splink raises many kinds where a block holds no pair to learn from
            logging.getLogger(__name__).info(
                "linkage model: no estimate by %s (%s)", columns, type(error).__name__
            )
    estimated = linker.misc.save_model_to_json(None)
    _exact_u(con, estimated)
    linker.table_management.delete_tables_created_by_splink_from_db()
    return _blended(settings, estimated, M_CEILING if families else {})


def _exact_u(con: duckdb.DuckDBPyConnection, estimated: dict[str, Any]) -> None:
    """Chance of two unrelated records agreeing exactly, from value frequencies; a sample is too coarse for it."""
    for name, column in (("first", "first_flat"), ("last", "last_flat"), ("dob", "dob_text")):
        row = con.execute(
            f"""select sum(n * (n - 1)) / nullif(sum(n) * (sum(n) - 1), 0)
            from (select count(*)::double as n from training_record where {column} is not null group by {column})"""
        ).fetchone()
        comparison = next((c for c in estimated["comparisons"] if c["output_column_name"] == name), None)
        if comparison and row and row[0]:  # Splink leaves out what no record can be compared by
            comparison["comparison_levels"][1]["u_probability"] = float(row[0])


def _blended(
    shipped: dict[str, Any], estimated: dict[str, Any], ceilings: dict[str, tuple[int, float]]
) -> dict[str, Any]:
    """Estimates where there are any, shipped values elsewhere; floors, ceilings, and sums of one."""
    blended = copy.deepcopy(shipped)
    told = {comparison["output_column_name"]: comparison for comparison in estimated["comparisons"]}
    for mine in blended["comparisons"]:
        name = mine["output_column_name"]
        theirs = told.get(name, {"comparison_levels": []})
        # Splink leaves out what no record can be compared by.
        levels = {level["sql_condition"]: level for level in theirs["comparison_levels"]}
        real = [i for i, level in enumerate(mine["comparison_levels"]) if not level.get("is_null_level")]
        for kind in ("m_probability", "u_probability"):
            base = [mine["comparison_levels"][i][kind] for i in real]
            if kind == "u_probability" and name in U_AS_SHIPPED:
                continue
            got = [levels.get(mine["comparison_levels"][i]["sql_condition"], {}).get(kind) for i in real]
            values = [_usable(g, b) for g, b in zip(got, base, strict=True)]
            if kind == "m_probability" and name in ceilings:
                level, ceiling = ceilings[name]
                values[len(values) - 1 - level] = min(values[len(values) - 1 - level], ceiling)
            total = sum(values)
            for i, value in zip(real, values, strict=True):
                mine["comparison_levels"][i][kind] = round(value / total, 8)
    return blended


def _usable(got: Any, shipped: float) -> float:
    """An estimate, drawn a little towards the shipped value so that no level is ever impossible."""
    if not isinstance(got, (int, float)):
        return shipped
    return max(_FLOOR, 0.98 * float(got) + 0.02 * shipped)


def _versioned(settings: dict[str, Any], origin: str) -> LinkageModel:
    text = json.dumps(settings, sort_keys=True)
    return LinkageModel(settings, hashlib.sha256(text.encode()).hexdigest()[:12], origin)
