"""Writing into landing folders, and what several partners' files share.

What belongs here: no partner's own layout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ingestion.sample.life import Life
from ingestion.sample.people import Draw
from ingestion.sample.spelling import as_written
from ingestion.sample.workbooks import Workbook

ID_PREFIXES = {
    "riverbend_schools": ("RB-", 7919),
    "eastvale_usd": ("EV7", 104729),
    "summit_charter": ("SCN", 15485863),
}


GRADES = {0: "KG", **{g: f"{g:02d}" for g in range(1, 13)}}


@dataclass
class Writer:
    """Writes into landing folders, and keeps the ids that each source gave."""

    root: Path
    draw: Draw
    people: pd.DataFrame
    life: Life
    ids: list[pd.DataFrame] = field(default_factory=list)
    workbooks: list[Workbook] = field(default_factory=list)

    def source(self, partner: str, prefix: str, step: int) -> pd.DataFrame:
        """The people as a partner writes them; the truth of its ids is kept."""
        frame = as_written(self.draw, self.people, prefix, step=step)
        self.ids.append(
            pd.DataFrame(
                {
                    "issuer_id": partner,
                    "local_id": frame["local_id"],
                    "true_person_id": frame["true_person_id"],
                }
            )
        )
        return frame

    def rows(self, kind: str, who: pd.DataFrame, **equal: object) -> pd.DataFrame:
        """Events of a kind with the person as written; filtered by columns."""
        events = self.life.table(kind)
        for name, value in equal.items():
            events = events[events[name] == value]
        return events.merge(who, on="true_person_id", how="left", suffixes=("", "_person"))

    def csv(self, partner: str, name: str, frame: pd.DataFrame, **options: object) -> None:
        """Write a CSV into the partner's landing folder."""
        self._write(Path("data") / "landing" / partner / name, frame, **options)

    def later(self, night: int, partner: str, name: str, frame: pd.DataFrame) -> None:
        """Write a CSV for a later night, beside the landing folder."""
        self._write(Path("nights") / f"{night:02d}" / partner / name, frame)

    def _write(self, place: Path, frame: pd.DataFrame, **options: object) -> None:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]


def with_faults(draw: Draw, frame: pd.DataFrame, date_column: str | None, key_column: str) -> pd.DataFrame:
    """The frame with the usual faults below it: rows sent twice, rows with a bad date, rows without a key.

    Good rows are never touched, so the truth stays what it is.
    """
    n = max(1, round(0.0015 * len(frame)))
    picks = draw.rng.integers(0, len(frame), 3 * n)
    twice, dated, keyless = (frame.iloc[picks[i * n : (i + 1) * n]].copy() for i in range(3))
    keyless[key_column] = ""
    parts = [frame, twice, keyless]
    if date_column:
        dated[date_column] = "99/99/9999"
        parts.append(dated)
    return pd.concat(parts, ignore_index=True)


def date_text(column: pd.Series, fmt: str) -> pd.Series:
    """Dates as a source writes them; nothing where there is none."""
    return pd.to_datetime(column).dt.strftime(fmt).fillna("")


YES_NO = {True: "Y", False: "N"}


def demographics(writer: Writer, spells: pd.DataFrame) -> pd.DataFrame:
    """Spells with the person's economic status of that year."""
    status = writer.life.table("status").drop_duplicates(["true_person_id", "school_year"])
    return spells.merge(status, on=["true_person_id", "school_year"], how="left")
