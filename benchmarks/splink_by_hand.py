"""Splink alone, set up by hand for whatever columns two files have: the reference that Throughline is held against.

What belongs here: that set-up, after Splink's own examples, and its best figures over all thresholds (which nobody without
the truth can choose). What does not: anything of `warehouse.linkage` but reading the files and the truth.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from warehouse import duck
from warehouse.linkage.evaluation import EvaluationMapping
from warehouse.linkage.evaluation.files import load_file
from warehouse.linkage.evaluation.truth import load_truth
from warehouse.vault.schema import create_tables

_BLOCKS = (
    ("first_name", "last_name"), ("first_name", "birth_date"), ("last_name", "birth_date"), ("birth_date",), ("birth_date", "postal_code"),
    ("last_name", "postal_code"), ("street_address",), ("street_address", "last_name"), ("last_name", "city", "birth_year"),
    ("first_name", "birth_year", "city"), ("first_name", "birth_year"), ("last_name", "birth_year"), ("phone",),
)  # fmt: skip
_WIDEST = 40.0  # a rule that makes more pairs a record is one that nobody would use by hand


@dataclass(frozen=True)
class Reference:
    """The best that Splink by hand reaches, at the threshold that only the truth can tell, and at 0.9."""

    f1: float
    precision: float
    recall: float
    threshold: float
    f1_at_09: float
    seconds: float


def reference(
    files: list[Path], mapping: EvaluationMapping | None, truth: Path | None, once: list[bool]
) -> Reference:
    """Link files by Splink alone.

    Args:
        files: one file or two.
        mapping: as `link evaluate` takes it.
        truth: as `link evaluate` takes it.
        once: whether each file holds a person once; Splink then links one to one.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    con = duck.connect()
    con.execute("attach ':memory:' as vault")
    create_tables(con)
    con.execute("create temp table birth_year_of (node text, birth_year integer)")
    con.execute("create temp table person_of (node text, person text)")
    sides = dict(zip(("left", "right"), files, strict=False))
    for side, file in sides.items():
        load_file(con, file, side, mapping)  # type: ignore[arg-type]
    load_truth(con, truth, sides)
    names = _tables(con, list(sides))
    started = time.perf_counter()
    predicted, linker = _predict(con, names, two=len(files) > 1)
    free = [f"file_{side}" for side, alone in zip(sides, once, strict=False) if alone]
    found = _best(con, predicted, linker, free if len(files) > 1 else [])
    con.close()
    return Reference(*found, round(time.perf_counter() - started, 1))


def _tables(con: duckdb.DuckDBPyConnection, sides: list[str]) -> list[str]:
    """One table a file, cleaned as one does by hand: small letters, no blanks around."""
    text = ("first_name", "middle_name", "last_name", "sex", "street_address", "city", "postal_code", "phone")
    columns = ", ".join(
        f"nullif(regexp_replace(lower(trim({name})), '[^a-z0-9 ]', '', 'g'), '') as {name}" for name in text
    )
    for side in sides:
        con.execute(
            f"""create table table_{side} as select source_person_key as unique_id, {columns}, birth_date::text as birth_date,
                coalesce(year(birth_date)::integer, y.birth_year) as birth_year
            from vault.identifier_record left join birth_year_of as y on y.node = source_person_key where partner_id = '{side}'"""
        )  # fmt: skip
    return [f"table_{side}" for side in sides]


def _known(con: duckdb.DuckDBPyConnection, names: list[str]) -> set[str]:
    """Columns that hold something in each file."""
    kept: set[str] | None = None
    for name in names:
        columns = [row[0] for row in con.execute(f"describe {name}").fetchall()]
        counts = con.execute(f"select {', '.join(f'count({c})' for c in columns)} from {name}").fetchone()
        here = {c for c, n in zip(columns, counts or (), strict=True) if n}
        kept = here if kept is None else kept & here
    return kept or set()


def _comparisons(known: set[str]) -> list[Any]:
    year = cl.CustomComparison(
        output_column_name="birth_year",
        comparison_levels=[
            cll.NullLevel("birth_year"), cll.ExactMatchLevel("birth_year"), cll.AbsoluteDifferenceLevel("birth_year", 1),
            cll.AbsoluteDifferenceLevel("birth_year", 3), cll.ElseLevel(),
        ],
    )  # fmt: skip
    return [
        cl.ForenameSurnameComparison("first_name", "last_name"),
        *([cl.DateOfBirthComparison("birth_date", input_is_string=True)] if "birth_date" in known else [year] if "birth_year" in known else []),
        *([cl.JaroWinklerAtThresholds("middle_name", [0.88])] if "middle_name" in known else []),
        *([cl.ExactMatch("sex")] if "sex" in known else []),
        *([cl.JaroWinklerAtThresholds("street_address", [0.95, 0.88])] if "street_address" in known else []),
        *([cl.DamerauLevenshteinAtThresholds("postal_code", [1])] if "postal_code" in known else []),
        *([cl.ExactMatch("city").configure(term_frequency_adjustments=True)] if "city" in known else []),
        *([cl.ExactMatch("phone")] if "phone" in known else []),
    ]  # fmt: skip


def _pairs_a_record(con: duckdb.DuckDBPyConnection, names: list[str], columns: tuple[str, ...]) -> float:
    union = " union all ".join(f"select {', '.join(columns)} from {name}" for name in names)
    filled = " and ".join(f"{c} is not null" for c in columns)
    row = con.execute(
        f"select sum(n * (n - 1) / 2), sum(n) from (select count(*)::double as n from ({union}) where {filled} group by {', '.join(columns)})"
    ).fetchone()
    return float(row[0] or 0) / max(float(row[1] or 0), 1.0) if row else 0.0


def _predict(con: duckdb.DuckDBPyConnection, names: list[str], *, two: bool) -> tuple[Any, Linker]:
    known = _known(con, names)
    usable = [b for b in _BLOCKS if set(b) <= known and _pairs_a_record(con, names, b) <= _WIDEST]
    settings = SettingsCreator(
        link_type="link_only" if two else "dedupe_only",
        comparisons=_comparisons(known),
        blocking_rules_to_generate_predictions=[block_on(*b) for b in usable],
        retain_intermediate_calculation_columns=False,
    )
    api = DuckDBAPI(connection=con)
    linker = Linker(
        [api.register(con.table(n), dataset_display_name=n.replace("table", "file")) for n in names],
        settings,
        log_level=None,
    )
    sure = ["first_name", "last_name", "birth_date" if "birth_date" in known else "street_address" if "street_address" in known else "birth_year"]  # fmt: skip
    linker.training.estimate_probability_two_random_records_match([block_on(*sure)], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    tries = [("first_name", "last_name"), ("birth_date",), ("street_address",), ("last_name", "birth_year"), ("last_name", "postal_code")]  # fmt: skip
    for columns in [t for t in tries if set(t) <= known][:3]:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*columns), estimate_without_term_frequencies=True
            )
        except Exception as error:  # Splink raises many kinds where a block holds no pair to learn from
            logging.getLogger(__name__).info("no estimate by %s: %s", columns, type(error).__name__)
    return linker.inference.predict(threshold_match_probability=0.01, warning_mode="never"), linker


def _best(
    con: duckdb.DuckDBPyConnection, predicted: Any, linker: Linker, free: list[str]
) -> tuple[float, float, float, float, float]:
    """F1, precision, recall and threshold at its best, and F1 at 0.9."""
    total = con.execute("select count(*) from true_pair").fetchone()
    found: list[tuple[float, float, float, float]] = []
    for threshold in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999):
        if free:
            clusters = linker.clustering.cluster_using_single_best_links(
                predicted, duplicate_free_datasets=free, threshold_match_probability=threshold
            ).physical_name
            pairs = (
                f"select least(l.unique_id, r.unique_id) as a, greatest(l.unique_id, r.unique_id) as b from {clusters} as l "
                f"join {clusters} as r using (cluster_id) where l.source_dataset < r.source_dataset"
            )
        else:
            pairs = (
                "select least(unique_id_l, unique_id_r) as a, greatest(unique_id_l, unique_id_r) as b "
                f"from {predicted.physical_name} where match_probability >= {threshold}"
            )
        row = con.execute(
            f"select count(*), count(t.a) from ({pairs}) as p left join true_pair as t using (a, b)"
        ).fetchone()
        made, right, true = row[0], row[1], total[0]  # type: ignore[index]
        precision, recall = right / made if made else 1.0, right / true
        f1 = 2 * right / (made + true)
        found.append((f1, precision, recall, threshold))
    best = max(found)
    at_09 = next(f1 for f1, _, _, threshold in found if threshold == 0.9)
    return *best, at_09
