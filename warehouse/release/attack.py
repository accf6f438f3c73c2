"""The attacker before a release: first against what is about to be withheld, then against the files to be published.

What belongs here: what he is given (rows, earlier releases), and remembering blocks whose figures did not change.
What does not: his reading of a block (`doubts`), or the choice of companions (`protect`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from warehouse.disclosure.published import race_of
from warehouse.duck import sql_literal
from warehouse.release.crew import Crew
from warehouse.release.doubts import BLOCK, Verdict, counted
from warehouse.release.protect import Policy
from warehouse.release.spec import CELL_KEYS, RATE

_COUNTS = ("eligible_n", "excluded_n", "not_measured_n", "denominator_n", "numerator_n")
_MOST_NAMED = 20
_VERSION = 2  # of the attack; another one forgets what was remembered


@dataclass(frozen=True)
class Attacked:
    """What he found in a table.

    Attributes:
        blocks: indicators by cohort year.
        doubts: doubts that must remain.
        lost: rows about which one does not, shape (lost,).
        near: published rows that give these away, one for each where there is any.
    """

    blocks: int
    doubts: int
    lost: np.ndarray
    near: np.ndarray


class Attacker:
    """One night's attacker.

    Args:
        policy: what must stay in doubt.
        earlier: folders of the releases that are public already.
        memory: where verdicts are kept from night to night; None keeps them for this night.
        threads: how many blocks are attacked at once; as many as the machine has cores when None.
    """

    def __init__(
        self,
        policy: Policy,
        earlier: Sequence[Path] = (),
        memory: Path | None = None,
        threads: int | None = None,
    ) -> None:
        self._policy, self._memory = policy, memory
        self._earlier = [
            file for file in (folder / "tables" / f"{RATE}.parquet" for folder in earlier) if file.is_file()
        ]
        self._known = _recall(memory)
        asked = (policy.minimum_n, policy.smallest_part, policy.lower, policy.upper, policy.geography_id)
        self._rules = repr((_VERSION, asked)).encode()
        self._used: dict[str, Verdict] = {}
        self._crew = Crew(threads)

    def mark_known(self, con: duckdb.DuckDBPyConnection, rates: str) -> None:
        """Make table `known_before`: rows of `rates` that an earlier release shows with the figures of today."""
        keys, same = ", ".join(CELL_KEYS), " and ".join(f"p.{n} = r.{n}" for n in (*CELL_KEYS, *_COUNTS))
        files = ", ".join(sql_literal(str(file)) for file in self._earlier)
        earlier = f"(select * from read_parquet([{files}], union_by_name = true) where not is_suppressed)"
        shown = f"exists (select 1 from {earlier} p where {same})" if self._earlier else "false"
        con.execute(
            f"create or replace temp table known_before as select {keys} from {rates} r where {shown}"
        )

    def withhold(self, con: duckdb.DuckDBPyConnection) -> int:
        """Attack table `cell` of the protector and withhold what gives most away; returns how many rows.

        Twice: as the release will be read alone, and beside the earlier ones, which show some of what it withholds.
        """
        rows = con.execute(
            f"select id, {', '.join((*CELL_KEYS, *_COUNTS))}, hidden as is_suppressed, known and hidden as fixed, "
            f"parent_key from cell order by {', '.join(CELL_KEYS)}"
        ).df()
        parents = {str(o): "" if p == "all" else str(p) for o, p in _pairs(rows)}
        truth, hidden = counted(rows), rows["is_suppressed"].to_numpy(dtype=bool)
        near = self._attack(rows.assign(fixed=False), truth, parents).near
        if rows["fixed"].any():
            beside = rows.assign(is_suppressed=hidden & ~rows["fixed"])
            near = np.union1d(near, self._attack(beside, truth, parents).near)
        more = pd.DataFrame({"id": rows["id"].to_numpy()[near[~hidden[near]]]})
        con.register("further", more)
        con.execute("update cell set hidden = true where not hidden and id in (select id from further)")
        con.unregister("further")
        return len(more)

    def audit(
        self, con: duckdb.DuckDBPyConnection, folder: Path, truth: str
    ) -> tuple[Attacked, Attacked, list[str]]:
        """Attack the files in `folder` as anybody reads them: alone, and with the earlier releases beside them.

        With these he takes a figure that is withheld now to be what it was when it was shown, where that is so.

        Args:
            con: a connection that can read `truth`.
            folder: of the release to be.
            truth: relation with the true counts, for judging alone.

        Returns:
            What was found alone, what with earlier releases, and in words what gives rows away in the first.
        """
        file = sql_literal(str(folder / "tables" / f"{RATE}.parquet"))
        keys = ", ".join(f"p.{name}" for name in CELL_KEYS)
        same = " and ".join(f"p.{name} = t.{name}" for name in CELL_KEYS)
        self.mark_known(con, truth)
        rows = con.execute(
            f"select {keys}, {', '.join(f'p.{n}' for n in _COUNTS)}, p.is_suppressed, "
            f"{', '.join(f't.{n} as true_{n}' for n in _COUNTS)}, k.indicator_id is not null as known "
            f"from read_parquet({file}) p join {truth} t on {same} "
            f"left join known_before k on {same.replace('t.', 'k.')} order by {keys}"
        ).df()
        real = counted(rows[[f"true_{name}" for name in _COUNTS]].rename(columns=lambda name: name[5:]))
        parents = _published_parents(con, folder)
        alone = self._attack(rows.assign(fixed=False), real, parents)
        told = [_told(rows.iloc[at]) for at in alone.near[:_MOST_NAMED]]
        known = (rows["known"] & rows["is_suppressed"]).to_numpy(dtype=bool)
        for name in _COUNTS:
            rows[name] = rows[name].where(~known, rows[f"true_{name}"])
        rows["is_suppressed"] &= ~known
        rows["fixed"] = known
        return alone, self._attack(rows, real, parents), told

    def remember(self) -> None:
        """Keep the verdicts on the blocks of tonight."""
        if self._memory is None:
            return
        kept = {key: [v.doubts, v.lost.tolist(), v.near.tolist()] for key, v in self._used.items()}
        self._memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._memory.with_suffix(".new")
        beside.write_text(json.dumps({"version": _VERSION, "blocks": kept}), encoding="utf-8")
        beside.replace(self._memory)

    def _attack(self, rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str]) -> Attacked:
        rows = rows.assign(race=race_of(rows["race_scheme"], rows["race_group"]))
        prints = _prints(rows, truth, parents)
        blocks = [
            (at, hashlib.blake2b(self._rules + prints[at].tobytes(), digest_size=16).hexdigest())
            for at in rows.groupby(BLOCK, sort=True).indices.values()
        ]
        known = self._known | self._used
        new = {key: at for at, key in blocks if key not in known}
        tasks = [(rows.iloc[at], truth[at], dict(parents), self._policy) for at in new.values()]
        known |= zip(new, self._crew.verdicts(tasks), strict=True)
        self._used |= {key: known[key] for _, key in blocks}
        doubts = sum(known[key].doubts for _, key in blocks)
        lost = [at[known[key].lost] for at, key in blocks]
        near = [at[known[key].near] for at, key in blocks]
        nothing = np.array([], dtype=np.int64)
        return Attacked(
            len(blocks), doubts, np.concatenate([nothing, *lost]), np.concatenate([nothing, *near])
        )


def _prints(rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str]) -> np.ndarray:
    """A number for each row that changes with all that a verdict depends on, shape (rows, columns)."""
    above = rows["organization_key"].map(lambda name: parents.get(str(name)) or "")
    named = [rows[name] for name in CELL_KEYS[2:]] + [above]
    texts = [pd.util.hash_array(column.to_numpy(dtype=object), categorize=True) for column in named]
    marks = [rows[name].to_numpy(dtype=np.uint64) for name in ("is_suppressed", "fixed")]
    return np.stack([*texts, *truth.astype(np.uint64).T, *marks], axis=1)


def _recall(memory: Path | None) -> dict[str, Verdict]:
    try:
        kept = json.loads(memory.read_text(encoding="utf-8")) if memory is not None else {}
    except (OSError, ValueError):
        return {}  # Only time is lost: it is all found again.
    if kept.get("version") != _VERSION:
        return {}
    return {
        key: Verdict(doubts, np.array(lost, dtype=np.int64), np.array(near, dtype=np.int64))
        for key, (doubts, lost, near) in kept["blocks"].items()
    }


def _pairs(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    pairs = rows[["organization_key", "parent_key"]].drop_duplicates()
    return zip(pairs["organization_key"], pairs["parent_key"], strict=True)


def _published_parents(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    file = folder / "tables" / "pub_organization_v1.parquet"
    if not file.is_file():
        return {}
    found = con.execute(
        "select organization_key, any_value(parent_organization_key) "
        f"from read_parquet({sql_literal(str(file))}) group by organization_key"
    ).fetchall()
    return {str(name): "" if parent is None else str(parent) for name, parent in found}


def _told(row: pd.Series) -> str:
    return ", ".join(f"{name} {row[name]}" for name in CELL_KEYS if str(row[name]) != "all")
