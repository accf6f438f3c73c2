"""Linkage with a partner that may not disclose identifiers: keyed Bloom filters of a person's identifiers, compared by Dice.

What belongs here: the open rule of encoding, the comparison, and links kept as decisions. What does not: linkage of plain
identifiers. The rule is that of cryptographic long-term keys (Schnell, Bachteler and Reiher 2011). An encoding is personal
data still: it can be attacked by frequency, so it rests in the vault only, and the secret is shared with nobody else.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import numpy.typing as npt

from warehouse.linkage.review import record_decision

BITS = 1024
# Identifier and how many bits each pair of its letters sets: what tells people apart weighs more.
FIELDS: dict[str, int] = {
    "first_name": 16,
    "last_name": 16,
    "birth_date": 20,
    "sex": 6,
    "postal_code": 6,
    "street_address": 4,
}
_CHUNK = 2_000
Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class EncodedLink:
    """Two records, one of each side, and the Dice coefficient of their encodings (0 to 1)."""

    left: str
    right: str
    dice: float


def encode(values: Mapping[str, str | None], secret: bytes) -> str:
    """The encoding of one person as hexadecimal digits.

    Each value is folded to small letters and digits without accents and cut into overlapping pairs of letters, with a
    blank before and after; of a birth date, its eight digits each with its place. Each pair sets bits at the places that HMAC-SHA256 with
    the secret gives for field, pair and number. Missing values set none.

    Args:
        values: by the names in `FIELDS`; the birth date as YYYY-MM-DD.
        secret: shared by the partner and the partnership, at least 16 bytes.
    """
    bits = np.zeros(BITS, dtype=np.uint8)
    for field, hashes in FIELDS.items():
        for gram in _grams(field, values.get(field)):
            digest = hmac.new(secret, f"{field}\x1f{gram}".encode(), hashlib.sha256).digest()
            first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big") | 1
            bits[[(first + n * step) % BITS for n in range(hashes)]] = 1
    return np.packbits(bits).tobytes().hex()


def _grams(field: str, value: str | None) -> set[str]:
    text = "".join(
        letter for letter in unicodedata.normalize("NFKD", (value or "").lower()) if letter.isalnum()
    )
    if not text:
        return set()
    if field == "birth_date":
        return {f"{place}{digit}" for place, digit in enumerate(text)}
    if field == "sex":
        return {text[:1]}
    padded = f" {text} "
    return {padded[place : place + 2] for place in range(len(padded) - 1)}


def read_encoding(text: str) -> Bits:
    """Bits of an encoding.

    Raises:
        ValueError: not an encoding by this rule.
    """
    raw = bytes.fromhex(text.strip())
    if len(raw) * 8 != BITS:
        raise ValueError(f"An encoding has {BITS // 4} hexadecimal digits, this has {len(text.strip())}.")
    return np.unpackbits(np.frombuffer(raw, dtype=np.uint8))


def link_encoded(
    left: Mapping[str, str], right: Mapping[str, str], threshold: float = 0.8, margin: float = 0.03
) -> list[EncodedLink]:
    """Pairs that are each other's best, at least as alike as the threshold, and clearly more than the next.

    Args:
        left: encoding by id; a person stands there once.
        right: the other side.
        threshold: smallest Dice coefficient.
        margin: by how much the best must exceed the second best of either side: co-twins are that near.
    """
    if not left or not right:
        return []
    ids, others = sorted(left), sorted(right)
    here = np.stack([read_encoding(left[key]) for key in ids]).astype(np.float32)
    there = np.stack([read_encoding(right[key]) for key in others]).astype(np.float32)
    weight = there.sum(axis=1)
    best_of_right = np.full((2, len(others)), -1.0)  # best and second best score of each on the right
    best_row = np.full(len(others), -1)
    rows: list[tuple[int, int, float, float]] = []
    for start in range(0, len(ids), _CHUNK):
        part = here[start : start + _CHUNK]
        dice = 2 * (part @ there.T) / np.maximum(part.sum(axis=1)[:, None] + weight[None, :], 1)
        column = dice.argmax(axis=1)
        top = dice[np.arange(len(part)), column]
        rows += zip(range(start, start + len(part)), column, top, _second(dice, column), strict=True)  # type: ignore[arg-type]
        _raise_best(dice, start, best_of_right, best_row)
    return [
        EncodedLink(ids[row], others[column], round(float(score), 4))
        for row, column, score, second in rows
        if score >= threshold
        and best_row[column] == row
        and score - max(second, best_of_right[1, column]) >= margin
    ]


def _second(dice: npt.NDArray[np.float32], column: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    rest = dice.copy()
    rest[np.arange(len(rest)), column] = -1
    found: npt.NDArray[np.float32] = rest.max(axis=1)
    return found


def _raise_best(
    dice: npt.NDArray[np.float32],
    start: int,
    best: npt.NDArray[np.float64],
    best_row: npt.NDArray[np.int64],
) -> None:
    """Bring best, second best and whose the best is up to date with one more block of rows."""
    row = dice.argmax(axis=0)
    top = dice[row, np.arange(dice.shape[1])]
    second = _second(dice.T, row)
    better = top > best[0]
    best[1] = np.where(better, np.maximum(best[0], second), np.maximum(best[1], top))
    best_row[better] = row[better] + start
    best[0] = np.maximum(best[0], top)


def vault_encodings(con: duckdb.DuckDBPyConnection, partner_id: str, secret: bytes) -> dict[str, str]:
    """Encodings of the newest record of each source person that other partners named in plain."""
    fields = ", ".join(f"{name}::text" for name in FIELDS)
    rows = con.execute(
        f"""select source_person_key, {fields} from vault.identifier_record
        where partner_id <> $p and first_name is not null and last_name is not null
        qualify row_number() over (partition by source_person_key order by delivery_seq desc, row_n desc) = 1""",
        {"p": partner_id},
    ).fetchall()
    return {row[0]: encode(dict(zip(FIELDS, row[1:], strict=True)), secret) for row in rows}


def keep_encoded_links(
    con: duckdb.DuckDBPyConnection, links: Iterable[EncodedLink], decided_at: datetime
) -> int:
    """Keep links as decisions that the next linkage obeys; a pair decided before, by whomever, is left as it is.

    Returns:
        Links that are new.
    """
    known = set(con.execute("select left_key, right_key from vault.link_decision").fetchall())
    new = [link for link in links if (min(link.left, link.right), max(link.left, link.right)) not in known]
    for link in new:
        record_decision(
            con, link.left, link.right, "match", "encoded identifiers", decided_at, f"dice {link.dice:.3f}"
        )
    return len(new)
