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
from warehouse.release.doubts import Verdict
from warehouse.release.earlier import BLOCK, COUNTS, Earlier, Statements, counted
from warehouse.release.protect import Policy
from warehouse.release.public import PEOPLE, make_table
from warehouse.release.spec import CELL_KEYS, RATE

_MOST_NAMED = 20
_VERSION = 6  # of the attack; another one forgets what was remembered


@dataclass(frozen=True)
class Attacked:
    """What he found in a table.

    Attributes:
        blocks: indicators by cohort year.
        doubts: doubts that must remain.
        lost: rows about which one does not, shape (lost,).
        near: published rows that give these away, one for each where there is any.
        before: those of the lost rows that earlier releases, or public counts, give away whatever is withheld now.
    """

    blocks: int
    doubts: int
    lost: np.ndarray
    near: np.ndarray
    before: np.ndarray

    @property
    def added(self) -> np.ndarray:
        """Lost rows that the release itself helps to give away, shape (added,)."""
        return np.setdiff1d(self.lost, self.before)


class Attacker:
    """One night's attacker.

    Args:
        policy: what must stay in doubt.
        earlier: folders of the releases that are public already.
        memory: where verdicts are kept from night to night; None keeps them for this night.
        threads: how many blocks are attacked at once; as many as the machine has cores when None.
        public: rows of the community's file of public counts (see `public`).
    """

    def __init__(
        self,
        policy: Policy,
        earlier: Sequence[Path] = (),
        memory: Path | None = None,
        threads: int | None = None,
        public: list[tuple[str, ...]] | None = None,
    ) -> None:
        self._policy, self._memory = policy, memory
        self._earlier = Earlier(earlier, policy.geography_id)
        self._public = public or []
        self._said: dict[tuple[str, int], Statements] = {}
        self._known = _recall(memory)
        asked = (
            policy.minimum_n,
            policy.smallest_part,
            policy.lower,
            policy.upper,
            policy.geography_id,
            policy.singletons,
        )
        self._rules = repr((_VERSION, asked)).encode()
        self._used: dict[str, Verdict] = {}
        self._crew = Crew(threads)

    def mark_shown(self, con: duckdb.DuckDBPyConnection, rates: str) -> None:
        """Make table `shown_before`: rows of `rates` that an earlier release shows; `known` with the figures of today."""
        self._earlier.mark_shown(con, rates)

    def withhold(self, con: duckdb.DuckDBPyConnection) -> int:
        """Attack table `cell` of the protector and withhold what gives most away; returns how many rows.

        Twice: as the release will be read alone, and beside the earlier ones, which show some of what it withholds.
        """
        make_table(con, self._public)
        rows = con.execute(
            f"select id, {', '.join((*CELL_KEYS, *COUNTS))}, hidden as is_suppressed, known and hidden as fixed, "
            f"shown_once, parent_key, {PEOPLE} from cell left join public_count using ({', '.join(CELL_KEYS)}) "
            f"order by {', '.join(CELL_KEYS)}"
        ).df()
        parents = {str(o): "" if p == "all" else str(p) for o, p in _pairs(rows)}
        truth, hidden = counted(rows), rows["is_suppressed"].to_numpy(dtype=bool)
        near = self._attack(rows.assign(fixed=False), truth, parents).near
        beside = rows.assign(is_suppressed=hidden & ~rows["fixed"])
        near = np.union1d(near, self._attack(beside, truth, parents, self._earlier).near)
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
            What was found alone, what with earlier releases, and in words which shown rows give rows away.
        """
        file = sql_literal(str(folder / "tables" / f"{RATE}.parquet"))
        keys = ", ".join(f"p.{name}" for name in CELL_KEYS)
        same = " and ".join(f"p.{name} = t.{name}" for name in CELL_KEYS)
        self.mark_shown(con, truth)
        make_table(con, self._public)
        rows = con.execute(
            f"select {keys}, {', '.join(f'p.{n}' for n in COUNTS)}, p.is_suppressed, "
            f"{', '.join(f't.{n} as true_{n}' for n in COUNTS)}, coalesce(k.known, false) as known, "
            f"k.known is not null as shown_once, c.{PEOPLE} from read_parquet({file}) p join {truth} t on {same} "
            f"left join shown_before k on {same.replace('t.', 'k.')} "
            f"left join public_count c on {same.replace('t.', 'c.')} order by {keys}"
        ).df()
        real = counted(rows[[f"true_{name}" for name in COUNTS]].rename(columns=lambda name: name[5:]))
        parents = _published_parents(con, folder)
        alone = self._attack(rows.assign(fixed=False), real, parents)
        known = (rows["known"] & rows["is_suppressed"]).to_numpy(dtype=bool)
        for name in COUNTS:
            rows[name] = rows[name].where(~known, rows[f"true_{name}"])
        rows["is_suppressed"] &= ~known
        rows["fixed"] = known
        beside = self._attack(rows, real, parents, self._earlier)
        near = np.union1d(alone.near, beside.near)[:_MOST_NAMED]
        return alone, beside, [_told(rows.iloc[at]) for at in near]

    def remember(self) -> None:
        """Keep the verdicts on the blocks of tonight."""
        if self._memory is None:
            return
        kept = {
            key: [v.doubts, v.lost.tolist(), v.near.tolist(), v.before.tolist()]
            for key, v in self._used.items()
        }
        self._memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = self._memory.with_suffix(".new")
        beside.write_text(json.dumps({"version": _VERSION, "blocks": kept}), encoding="utf-8")
        beside.replace(self._memory)

    def _attack(
        self,
        rows: pd.DataFrame,
        truth: np.ndarray,
        parents: Mapping[str, str],
        earlier: Earlier | None = None,
    ) -> Attacked:
        rows = rows.assign(race=race_of(rows["race_scheme"], rows["race_group"]))
        prints = _prints(rows, truth, parents)
        blocks = []
        said: dict[str, Statements | None] = {}
        # Only a row that was shown once can have been told apart from others by what was said of these.
        once = (rows["shown_once"] & rows["is_suppressed"]).to_numpy(dtype=bool)
        for at in rows.groupby(BLOCK, sort=True).indices.values():
            told = None
            if earlier is not None and once[at].any():
                told = self._statements(earlier, rows.iloc[at], truth[at], parents)
            mark = self._rules + prints[at].tobytes() + (told.mark() if told else b"")
            key = hashlib.blake2b(mark, digest_size=16).hexdigest()
            blocks.append((at, key))
            said[key] = told
        known = self._known | self._used
        new = {key: at for at, key in blocks if key not in known}
        tasks = [
            (rows.iloc[at], truth[at], dict(parents), self._policy, said[key]) for key, at in new.items()
        ]
        known |= zip(new, self._crew.verdicts(tasks), strict=True)
        self._used |= {key: known[key] for _, key in blocks}
        doubts = sum(known[key].doubts for _, key in blocks)
        nothing = np.array([], dtype=np.int64)
        lost, near, before = (
            np.concatenate([nothing, *(at[getattr(known[key], name)] for at, key in blocks)])
            for name in ("lost", "near", "before")
        )
        return Attacked(len(blocks), doubts, lost, near, before)

    def _statements(
        self, earlier: Earlier, rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str]
    ) -> Statements | None:
        """What earlier releases say of sums over the withheld rows of a block that tonight's do not; None for nothing."""
        block = str(rows[BLOCK[0]].iloc[0]), int(rows[BLOCK[1]].iloc[0])
        if block not in self._said:
            self._said[block] = earlier.said(block, rows, truth, parents)
        told = self._said[block].telling(rows["is_suppressed"].to_numpy(dtype=bool))
        return told if len(told.equal) else None


def _prints(rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str]) -> np.ndarray:
    """A number for each row that changes with all that a verdict depends on, shape (rows, columns)."""
    above = rows["organization_key"].map(lambda name: parents.get(str(name)) or "")
    named = [rows[name] for name in CELL_KEYS[2:]] + [above]
    texts = [pd.util.hash_array(column.to_numpy(dtype=object), categorize=True) for column in named]
    marks = [rows[name].to_numpy(dtype=np.uint64) for name in ("is_suppressed", "fixed")]
    marks.append((rows[PEOPLE].fillna(-1).to_numpy(dtype=np.int64) + 1).astype(np.uint64))
    return np.stack([*texts, *truth.astype(np.uint64).T, *marks], axis=1)


def _recall(memory: Path | None) -> dict[str, Verdict]:
    try:
        kept = json.loads(memory.read_text(encoding="utf-8")) if memory is not None else {}
    except (OSError, ValueError):
        return {}  # Only time is lost: it is all found again.
    if kept.get("version") != _VERSION:
        return {}
    return {
        key: Verdict(doubts, *(np.array(rows, dtype=np.int64) for rows in found))
        for key, (doubts, *found) in kept["blocks"].items()
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
