"""How many people a community's release hides beyond the fewest possible, year by year, where these can be proven.

What belongs here: the figure. What does not: random systems (`disclosure`), or speed.

A year is proven where the exact programme finds the fewest people that keep every doubt of a stranger within the time.
Lone people's knowledge and earlier releases may ask for more, so the excess is no less than it truly is.

Run: python benchmarks/release_cost.py COMMUNITY --seconds 10
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy import sparse

from warehouse.community import load_community
from warehouse.disclosure.doubtful import Part
from warehouse.disclosure.exact import improve_exactly
from warehouse.disclosure.published import race_of
from warehouse.release.build import release_policy
from warehouse.release.doubts import read_block
from warehouse.release.earlier import BLOCK, COUNTS, counted
from warehouse.release.joint import KINDS, Reading, with_sizes
from warehouse.release.spec import CELL_KEYS, RATE

_TIE = 0.01
_LARGER = 50.0


def main() -> None:
    """Print the years, those proven, and what is hidden beyond the fewest people in these."""
    parser = argparse.ArgumentParser()
    parser.add_argument("community", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0, help="Time for the proof of one year.")
    parser.add_argument("--every", type=int, default=1, help="Look at one year in so many.")
    given = parser.parse_args()
    community = load_community(given.community)
    policy = release_policy(community)
    rows, parents = _rows(community.paths.releases, community.paths.warehouse)
    found = []
    for at in list(rows.groupby(BLOCK, sort=True).indices.values())[:: given.every]:
        block = rows.iloc[at].reset_index(drop=True)
        reading, _, _ = read_block(block, counted(block), parents, policy, np.zeros(len(block), dtype=bool))
        part, hidden = _part(reading)
        if len(part.target):
            best, least = improve_exactly(part, hidden, [], given.seconds, larger=_LARGER)
            mine, fewest = (float(np.floor(part.weight[chosen]).sum()) for chosen in (hidden, best))
            proven = part.weight[best].sum() <= least + 0.5
            found.append((bool((hidden & ~part.first).any()), mine, fewest, proven))
    excess = np.array([mine / fewest - 1 for _, mine, fewest, proven in found if proven])
    print(
        {
            "years": len(found),
            "proven": len(excess),
            "of these with companions": sum(more for more, _, _, proven in found if proven),
            "beyond the fewest people, median": round(float(np.median(excess)), 4) if len(excess) else None,
            "most": round(float(excess.max()), 4) if len(excess) else None,
            "all together": round(
                sum(m for _, m, _, p in found if p) / sum(f for _, _, f, p in found if p) - 1, 4
            )
            if len(excess)
            else None,
        }
    )


def _rows(releases: Path, warehouse: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """True figures of the last release's rate table, and what it withholds."""
    last = max(
        folder
        for folder in releases.iterdir()
        if (folder / "manifest.json").is_file() and not folder.is_symlink()
    )
    keys = ", ".join(CELL_KEYS)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        rows = con.execute(
            f"select {keys}, {', '.join(f't.{name}' for name in COUNTS)}, p.is_suppressed "
            f"from marts.mart_indicator_rate t join '{last}/tables/{RATE}.parquet' p using ({keys}) order by {keys}"
        ).df()
        pairs = con.execute(
            "select organization_key, any_value(parent_organization_key) from core.dim_organization group by all"
        ).fetchall()
    rows["race"] = race_of(rows["race_scheme"], rows["race_group"])
    return rows, {str(name): str(above or "") for name, above in pairs}


def _part(reading: Reading) -> tuple[Part, np.ndarray]:
    """A year as the exact programme takes it: one unit a row, and slack where parts need not make up a whole."""
    joint = with_sizes(reading, np.full(reading.block.cells, np.nan))
    block, rows = joint.block, joint.block.cells // KINDS
    matrix, real = block.matrix(), joint.real[:, 0]
    loose = np.flatnonzero(~block.equal)
    slack = sparse.csr_matrix(
        (np.ones(len(loose)), (loose, np.arange(len(loose)))), shape=(len(block.equal), len(loose))
    )
    value = np.concatenate([real, (matrix @ real)[loose]])
    size = real[(KINDS - 1) * rows :]
    unit = np.concatenate([np.tile(np.arange(rows), KINDS), np.full(len(loose), -1)])
    first = np.zeros(rows, dtype=bool)
    first[joint.doubts.cell % rows] = True
    need = np.abs(joint.doubts.target - real[joint.doubts.cell])
    real_need = need > 0
    part = Part(
        np.arange(len(value)), np.arange(rows), value, value, np.full(len(value), np.inf), np.zeros(len(value), dtype=bool),
        unit, size + _TIE, first, sparse.hstack([matrix, -slack]).tocsr(), joint.doubts.cell[real_need],
        joint.doubts.sign[real_need], need[real_need], np.full(int(real_need.sum()), -1),
    )  # fmt: skip
    return part, np.isnan(joint.seen[:rows, 0])


if __name__ == "__main__":
    main()
