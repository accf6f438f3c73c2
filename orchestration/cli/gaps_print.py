"""The tables that `throughline gaps` prints: what an analyst looks at first; `--json` and `--to` hold everything.

What belongs here: columns and how their figures are written. What does not: measures (`warehouse.statistics`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.statistics.tables import Measured

Row = dict[Any, Any]
_LEFT = ("group", "dimension", "verdict", "gap verdict")


def print_measured(console: Console, measured: Measured) -> None:
    """Print how the outcomes were read, every dimension, and the change between cohorts."""
    for records in measured.records:
        console.print(f"{escape(records.outcome)}: read as {escape(records.reading)}.")
        for reason, count in records.left_out.items():
            console.print(f"[yellow]{count:,} rows left out[/yellow]: {escape(reason)}")
        for note in records.notes:
            console.print(f"[yellow]Note[/yellow]: {escape(note)}")
    summaries = {
        (row["outcome"], row["cohort"], row["within"], row["dimension"]): row
        for row in measured.summary.to_dict("records")
    }
    keys = ["outcome", "cohort", "within", "dimension"]
    for found, frame in measured.groups.groupby(keys, sort=False):
        key = cast("tuple[str, str, str, str]", found)
        title = ", ".join(str(part) for part in (key[3], key[1], key[2]) if part != "all")
        several = f"{key[0]}: " if len(measured.records) > 1 else ""
        names = frame["reference"].dropna()
        against = str(names.iloc[0]) if len(names) else "none in this dimension"
        _print(console, escape(f"{several}{title}; reference: {against}"), frame, _cells_of(frame))
        if key in summaries:
            console.print(escape(_whole(summaries[key])))
    if len(measured.changes):
        _print_changes(console, measured.changes)


def _print(console: Console, title: str, frame: pd.DataFrame, cells: Any) -> None:
    rows = [cells(row) for row in frame.to_dict("records")]
    shown = Table(title=title, title_justify="left", padding=(0, 0))
    for column in rows[0]:
        shown.add_column(column, justify="left" if column in _LEFT else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row.values()))
    console.print(shown)


def _cells_of(frame: pd.DataFrame) -> Any:
    for column, cells in (("rate", _rate_cells), ("mean", _score_cells)):
        if column in frame and frame[column].notna().any():
            return cells
    return _estimate_cells if "estimate" in frame else _rate_cells


def _rate_cells(row: Row) -> dict[str, str]:
    return {
        "group": str(row["group"]),
        "n": _count(row["n"]),
        "rate": _percent(row["rate"]),
        "95 %": f"{_percent(row['rate_low'])}-{_percent(row['rate_high'])}",
        "gap": _points(row["gap"]),
        "gap 95 %": f"{_points(row['gap_low'])} to {_points(row['gap_high'])}",
        "ratio": _decimal(row["ratio"]),
        "80 %": _decimal(row["index_80"]),
        "PI": _decimal(row["proportionality_index"]),
        "PPG-1": _points(row["ppg_others"]),
        "±": _points(row["ppg_margin"]),
        "impact": _impact(row),
        "needed": _count(row["people_needed"]),
        "verdict": str(row["verdict"]),
    }


def _impact(row: Row) -> str:
    """The methods that show disproportionate impact: 80 % index, proportionality index, percentage-point gap."""
    flags = {"80": row["impact_80"], "PI": row["impact_pi"], "PPG": row["impact_others"]}
    if all(_absent(flag) for flag in flags.values()):
        return "-"
    return " ".join(name for name, flag in flags.items() if not _absent(flag) and flag) or "no"


def _score_cells(row: Row) -> dict[str, str]:
    v = {"V": _decimal(row.get("v_statistic"))} if "v_statistic" in row else {}
    return {
        "group": str(row["group"]),
        "n": _count(row["n"]),
        "mean": _decimal(row["mean"]),
        "95 %": f"{_decimal(row['mean_low'])}-{_decimal(row['mean_high'])}",
        "sd": _decimal(row["sd"]),
        "gap": _decimal(row["gap"]),
        "gap 95 %": f"{_decimal(row['gap_low'])} to {_decimal(row['gap_high'])}",
        "standardized": _decimal(row["standardized_gap"]),
        **v,
        "verdict": str(row["verdict"]),
    }


def _estimate_cells(row: Row) -> dict[str, str]:
    standardized = {"standardized": _decimal(row["standardized_gap"])} if "standardized_gap" in row else {}
    return {
        "group": str(row["group"]),
        "estimate": _significant(row["estimate"]),
        "95 %": f"{_significant(row['estimate_low'])}-{_significant(row['estimate_high'])}",
        "gap": _significant(row["gap"]),
        "gap 95 %": f"{_significant(row['gap_low'])} to {_significant(row['gap_high'])}",
        "ratio": _decimal(row["ratio"]),
        **standardized,
        "verdict": str(row["verdict"]),
    }


def _whole(row: Row) -> str:
    """The dimension as a whole, in one line."""
    if row.get("overlapping") is True:
        return "People are in several of these groups: no summary of the dimension as a whole."
    if not _absent(row.get("rate")):
        return (
            f"All: {_percent(row['rate'])} of {_count(row['n'])}; widest gap {_points(row['widest_gap'])} points; "
            f"between groups beyond chance {_points(row['between_group_sd_beyond_chance'])} points (sd); "
            f"all alike: p = {_p(row['chi_square_p_value'])}"
        )
    if not _absent(row.get("mean")):
        return (
            f"All: mean {_decimal(row['mean'])} of {_count(row['n'])}; widest gap {_decimal(row['widest_gap'])}; "
            f"share of variation between groups {_percent(row['eta_squared'])}"
        )
    return f"Widest gap {_significant(row['widest_gap'])}"


def _print_changes(console: Console, changes: pd.DataFrame) -> None:
    first, last = changes["first_cohort"].iloc[0], changes["last_cohort"].iloc[0]
    # A margin of two points is there where values are rates; scores are written as they are.
    in_points = bool((changes[["first_value", "last_value"]].abs().max() <= 1).all())
    _print(
        console,
        escape(f"Change from {first} to {last}"),
        changes,
        _change_cells if in_points else _moved_cells,
    )


def _change_cells(row: Row, written: Any = None) -> dict[str, str]:
    figure = written or _points
    note = " (the reference fell)" if row["narrowed_by_reference"] is True else ""
    where = ", ".join(str(row[part]) for part in ("dimension", "within") if row[part] != "all")
    return {
        "dimension": where,
        "group": str(row["group"]),
        "change": figure(row["change"]),
        "95 %": f"{figure(row['change_low'])} to {figure(row['change_high'])}",
        "verdict": str(row["verdict"]),
        "points alone": str(row["plain"]),
        "gap change": figure(row["gap_change"]),
        "gap 95 %": f"{figure(row['gap_change_low'])} to {figure(row['gap_change_high'])}",
        "gap verdict": str(row["gap_verdict"]) + note,
    }


def _moved_cells(row: Row) -> dict[str, str]:
    return _change_cells(row, _significant)


def _absent(value: Any) -> bool:
    return value is None or value != value


def _count(value: Any) -> str:
    return "-" if _absent(value) else f"{value:,.0f}"


def _percent(value: Any) -> str:
    return "-" if _absent(value) else f"{value:.1%}"


def _points(value: Any) -> str:
    return "-" if _absent(value) else f"{round(100 * value, 1) + 0.0:.1f}"


def _decimal(value: Any) -> str:
    return "-" if _absent(value) else f"{round(value, 2) + 0.0:.2f}"


def _significant(value: Any) -> str:
    return "-" if _absent(value) else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _p(value: Any) -> str:
    return "-" if _absent(value) else "<0.001" if value < 0.001 else f"{value:.3f}"
