"""What is wrong with tables as strangers write them, before anything rests on them.

What belongs here: refusing, with file, row, column, rule and fix. What does not: reading (`tables`), or totals that do
not add up (`model`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from warehouse.disclosure.describe import Description, DisclosureInputError

if TYPE_CHECKING:
    from warehouse.disclosure.tables import Table

_NEAR = 1e-6


def refuse_undescribed(table: Table, described: Iterable[str], description: Description) -> None:
    """Numbers of which the description says nothing would be published as they are.

    Raises:
        DisclosureInputError: there is such a column.
    """
    for name in table.frame.columns.difference([*described, *table.about.labels], sort=False):
        text = table.frame[name].str.strip()
        numbers = pd.to_numeric(text.where(~text.isin(description.marks)), errors="coerce").notna().to_numpy()
        if numbers.any():
            row = int(np.flatnonzero(numbers)[0])
            raise DisclosureInputError(
                f"{table.name}: row {row + 2}: column {name}: a number of which the description says nothing, so it would "
                "be published as it is; name the column under counts, rates or follows, or under labels if it tells of "
                "nobody"
            )


def refuse_wrong_numbers(table: Table) -> None:
    """Parts are no larger than their wholes, and a rate is what its counts say.

    Raises:
        DisclosureInputError: a number that is shown says otherwise.
    """
    for part, whole in table.about.numerators.items():
        wrong = table.values[part] > table.values[whole] + _NEAR
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise DisclosureInputError(
                f"{table.name}: row {row + 2}: column {part}: it is larger than {whole}, of which it is a part; correct one "
                "of the two"
            )
    for name, rate in table.about.rates.items():
        scale = 100.0 if rate.percent else 1.0
        shown = pd.to_numeric(table.frame[name], errors="coerce").to_numpy(dtype=float)
        above, below = table.values[rate.numerator], table.values[rate.denominator]
        real = scale * above / np.where(below > 0, below, np.nan)
        wrong = np.abs(shown - real) > 0.5 * 10.0**-rate.decimals + _NEAR
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise DisclosureInputError(
                f"{table.name}: row {row + 2}: column {name}: {rate.numerator} over {rate.denominator} is "
                f"{real[row]:.{rate.decimals}f}; correct it, or `decimals` and `percent` of the description"
            )


def refuse_unknown_values(
    tables: Sequence[Table], description: Description, dimensions: Sequence[str]
) -> None:
    """Each value of a dimension has its place under a total, where the description names any.

    Raises:
        DisclosureInputError: a value has none, or is the total itself under another name.
    """
    for position, name in enumerate(dimensions):
        dimension = description.dimension(name)
        if dimension.sums:
            known = {dimension.total, *dimension.sums}
            known |= {part for groups in dimension.sums.values() for group in groups for part in group}
            for table in tables:
                for row, key in enumerate(table.keys):
                    if key[position] not in known:
                        raise DisclosureInputError(
                            f"{table.name}: row {row + 2}: column {name}: '{key[position]}' is neither a total nor a part in "
                            f"`sums` of {name}; add it there, or correct its spelling"
                        )
        elif dimension.additive and not any(
            dimension.total == key[position] for t in tables for key in t.keys
        ):
            for table in tables:
                _refuse_other_total(table, name, position, dimension.total)


def _refuse_other_total(table: Table, name: str, position: int, total: str) -> None:
    """A value that is the sum of all others, wherever it stands."""
    others = [str(at) for at in range(len(table.keys[0])) if at != position]
    keys = pd.DataFrame(table.keys, columns=[str(at) for at in range(len(table.keys[0]))])
    keys["value"], keys["n"] = keys[str(position)], table.values[table.about.counts[0]]
    groups = keys.groupby(others, sort=False) if others else [((), keys)]
    found: set[str] | None = None
    for _, group in groups:
        if len(group) > 2:  # Of two that are equal neither is the sum.
            like = set(group.loc[(2 * group["n"] - group["n"].sum()).abs() < _NEAR, "value"])
            found = like if found is None else found & like
    for value in sorted(found or ()):
        row = int(np.flatnonzero(keys["value"] == value)[0])
        raise DisclosureInputError(
            f"{table.name}: row {row + 2}: column {name}: '{value}' is the sum of all others, but the total of {name} is "
            f"called '{total}'; say so under dimensions: `{name}: {{total: {value}}}`"
        )
