"""The record of every opening of the vault: a chain of keyed hashes that shows any edit, loss or reordering.

What belongs here: appending and verifying. What does not: deciding who may open the vault.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from warehouse.settings import CommunityPaths, Settings
from warehouse.vault.keys import write_private

_GENESIS = "0" * 64


class AccessLogError(RuntimeError):
    """The access log does not match its chain; the message names the first wrong line."""


@dataclass(frozen=True)
class AccessEntry:
    """One opening: running number, UTC time, operating-system user, purpose, source persons in the vault."""

    number: int
    at: str
    who: str
    purpose: str
    people: int
    chain: str


def log_path(paths: CommunityPaths) -> Path:
    """The access log: one JSON document a line, beside the vault."""
    return paths.vault.parent / "access_log.jsonl"


def head_path(paths: CommunityPaths) -> Path:
    """The keyed head of the chain, kept apart with the keys so that cutting the log off is noticed."""
    return paths.keys / "access_log.head"


def append(
    paths: CommunityPaths, settings: Settings, key: bytes, *, purpose: str, people: int
) -> AccessEntry:
    """Append one opening and move the head.

    Args:
        paths: the community.
        settings: for the clock.
        key: `derived_key(master, 'access_log')`.
        purpose: what for, in a few words without identifiers.
        people: number of source persons in the vault.

    Raises:
        AccessLogError: the last line does not fit the head; nothing is appended.
    """
    last = _last_entry(paths)
    number, previous = (last.number + 1, last.chain) if last else (1, _GENESIS)
    _check_head(paths, key, last)
    body = {
        "number": number,
        "at": settings.clock().isoformat(timespec="seconds"),
        "who": _user(),
        "purpose": purpose,
        "people": people,
    }
    entry = AccessEntry(**body, chain=_link(key, previous, body))  # type: ignore[arg-type]
    handle = os.open(log_path(paths), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(json.dumps({**body, "chain": entry.chain}) + "\n")
        out.flush()
        os.fsync(out.fileno())
    _write_head(paths, key, entry)
    return entry


def verify(paths: CommunityPaths, key: bytes) -> list[AccessEntry]:
    """All entries, after checking every link and the head.

    Raises:
        AccessLogError: an edited, lost, added or reordered line; names the first.
    """
    entries, previous = [], _GENESIS
    for line_number, line in enumerate(_lines(paths), 1):
        entry = _parse(line, line_number, paths)
        body = {k: getattr(entry, k) for k in ("number", "at", "who", "purpose", "people")}
        if entry.number != line_number or not hmac.compare_digest(entry.chain, _link(key, previous, body)):
            raise AccessLogError(f"{log_path(paths)}, line {line_number}: changed after it was written.")
        entries.append(entry)
        previous = entry.chain
    _check_head(paths, key, entries[-1] if entries else None)
    return entries


def rechain(paths: CommunityPaths, old_key: bytes, new_key: bytes, *, staged_suffix: str) -> None:
    """Verify the log under the old key and write it and its head beside under the new one (key rotation).

    Raises:
        AccessLogError: the log does not verify; nothing is written.
    """
    entries = verify(paths, old_key)
    previous, lines = _GENESIS, []
    for entry in entries:
        body = {k: getattr(entry, k) for k in ("number", "at", "who", "purpose", "people")}
        previous = _link(new_key, previous, body)
        lines.append(json.dumps({**body, "chain": previous}) + "\n")
    if not entries:
        return
    last = AccessEntry(**{**vars(entries[-1]), "chain": previous})
    for target, text in ((log_path(paths), "".join(lines)), (head_path(paths), _head_text(new_key, last))):
        write_private(target.with_name(target.name + staged_suffix), text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _lines(paths: CommunityPaths) -> list[str]:
    file = log_path(paths)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _last_entry(paths: CommunityPaths) -> AccessEntry | None:
    lines = _lines(paths)
    return _parse(lines[-1], len(lines), paths) if lines else None


def _parse(line: str, number: int, paths: CommunityPaths) -> AccessEntry:
    try:
        return AccessEntry(**json.loads(line))
    except (ValueError, TypeError):
        raise AccessLogError(f"{log_path(paths)}, line {number}: not a line of this log.") from None


def _link(key: bytes, previous: str, body: dict[str, object]) -> str:
    text = previous + json.dumps(body, sort_keys=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _head_value(key: bytes, entry: AccessEntry) -> str:
    return hmac.new(key, f"head {entry.number} {entry.chain}".encode(), hashlib.sha256).hexdigest()


def _head_text(key: bytes, entry: AccessEntry) -> str:
    return json.dumps({"number": entry.number, "head": _head_value(key, entry)})


def _write_head(paths: CommunityPaths, key: bytes, entry: AccessEntry) -> None:
    paths.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = head_path(paths).with_suffix(".next")
    beside.touch(mode=0o600)
    beside.write_text(_head_text(key, entry), encoding="ascii")
    beside.replace(head_path(paths))


def _check_head(paths: CommunityPaths, key: bytes, last: AccessEntry | None) -> None:
    file = head_path(paths)
    if not file.exists():
        if last is None:
            return
        raise AccessLogError(f"{file}: missing; the access log can no longer be proved complete.")
    head = json.loads(file.read_text(encoding="ascii"))
    if last is None:
        raise AccessLogError(f"{log_path(paths)}: missing, though {head['number']} openings were recorded.")
    # A crash between the two writes leaves the head exactly one entry behind; that one is repaired by the next.
    if head["number"] == last.number - 1:
        return
    if head["number"] != last.number or not hmac.compare_digest(head["head"], _head_value(key, last)):
        raise AccessLogError(
            f"{log_path(paths)}: ends at entry {last.number}, but {head['number']} openings were recorded."
        )
