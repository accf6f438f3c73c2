"""What a file shows without being judged, and how much of a ready-made layout is seen in it.

What belongs here: the cheap look by which only the few likely layouts are judged. What does not: judging
(`recognise`).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import duckdb

from ingestion.contracts import load_contracts
from ingestion.mapping import FeedMapping, Layout, as_how, fold, sources_of
from ingestion.readers import Keys, ReadHints, UnreadableFileError, format_of, read, tables
from ingestion.readers.model import Request, TablePart
from ingestion.readers.xml_tags import elements_in
from ingestion.readers.zipped import elements_with
from warehouse.limits import Limits

LOOKED_AT = "looked_at"
_QUOTED = re.compile(r'"([^"]+)"')
_WORD = re.compile(r"[A-Za-z_]\w*")
# So many of a lone file's columns must be spoken of in a layout's query before it counts as a part of it; short names
# such as `Race` or `DOB` say nothing.
_SPOKEN_OF, _TELLING = 3, 8


@dataclass(frozen=True)
class Look:
    """What can be seen of a file.

    Attributes:
        path: the file.
        columns: its column names, where it is one table; that table then lies in `LOOKED_AT`. A name that joins two
            header rows stands there by its first word too, which is how codes above labels are read.
        members: names of the files in it, where it is an archive of several.
        elements: the XML elements in it of those that ready-made layouts read.
    """

    path: Path
    columns: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    elements: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Folded column names."""
        return frozenset(map(fold, self.columns))


@dataclass(frozen=True)
class Footprint:
    """How much of one ready-made layout a file shows.

    Attributes:
        share: of what the layout cannot do without, 0 to 1.
        found: how many such things were found.
        missing: what was not: columns, files of an archive, or XML elements.
        is_part: whether the file is one of several that the layout reads together.
    """

    standard: str
    share: float
    found: int = 0
    missing: tuple[str, ...] = ()
    is_part: bool = False


def look(
    path: Path, con: duckdb.DuckDBPyConnection, limits: Limits, keys: Keys, layouts: Iterable[FeedMapping]
) -> Look:
    """Look at a file: its columns, the files in it, or its elements.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    wanted = frozenset(_element(part) for m in layouts for part in m.read.tables.values() if part.record_path)
    kind = format_of(path, ReadHints())
    if kind == "xml":
        with path.open("rb") as source:
            return Look(path, elements=frozenset(elements_in(source, wanted)))
    members: tuple[str, ...] = ()
    elements: frozenset[str] = frozenset()
    if kind == "zip":
        request = Request(path, con, LOOKED_AT, ReadHints(), limits, keys)
        members = tuple(member.name for member in tables(path, con, limits=limits, keys=keys))
        elements = frozenset(elements_with(request, wanted))
    if len(members) > 1 or elements:
        return Look(path, members=members, elements=elements)
    try:
        result = read(path, con, LOOKED_AT, limits=limits, keys=keys)
        codes = [name.partition(" ")[0] for name in result.columns if result.header.get("rows", 1) > 1]
        return Look(path, (*result.columns, *codes), members)
    except UnreadableFileError as error:
        if error.code != "several_members":
            raise
        # Encrypted archives show their members only to the reader that opens them.
        inside = tables(path, con, limits=limits, keys=keys)
        return Look(path, members=tuple(member.name for member in inside))


def footprint(seen: Look, standard: str, mapping: FeedMapping) -> Footprint:
    """How much of a ready-made layout a file shows."""
    if mapping.read.tables:
        return _of_several(seen, standard, mapping)
    if len(seen.members) > 1:
        pattern = mapping.member or mapping.read.member
        fits = pattern is not None and sum(_is_member(name, pattern) for name in seen.members) == 1
        return Footprint(standard, float(fits), int(fits))
    best = Footprint(standard, 0.0)
    for layout in mapping.layouts:
        needed = required_columns(mapping, layout)
        missing = tuple(name for name in needed if fold(name) not in seen.names)
        if mapping.unpivot:
            needed = [*needed, mapping.unpivot.pattern]
            if not any(re.search(mapping.unpivot.pattern, name) for name in seen.columns):
                missing = (*missing, mapping.unpivot.pattern)
        share = 1 - len(missing) / len(needed) if needed else 0.0
        if share > best.share:
            best = Footprint(standard, share, len(needed) - len(missing), missing)
    return best


def required_columns(mapping: FeedMapping, layout: Layout) -> list[str]:
    """Source columns without which a layout refuses a file, as it writes them."""
    demanded = {column.name for column in load_contracts()[mapping.feed].columns if column.required}
    names = [*layout.signature, *(mapping.unpivot.id_columns if mapping.unpivot else [])]
    for canonical, entry in layout.columns.items():
        how = as_how(entry)
        if canonical in demanded:
            names += [*sources_of(how), *_QUOTED.findall(how.expression or "")]
    optional = {fold(name) for name in mapping.optional_columns}
    if mapping.unpivot:
        optional |= {"variable", "label", *map(fold, mapping.unpivot.optional_columns)}
    wanted = {fold(name): name for name in names}
    return [n for key, n in wanted.items() if key not in optional and not (mapping.unpivot and _is_made(key))]


def _is_made(folded: str) -> bool:
    """Whether a column comes about only when a wide table is turned."""
    return folded.startswith("value_")


def _of_several(seen: Look, standard: str, mapping: FeedMapping) -> Footprint:
    """A layout of several tables: each that it cannot do without has to be there, or where it names none, any."""
    parts = {name: part for name, part in mapping.read.tables.items() if not part.optional}
    is_any = not parts
    parts = parts or dict(mapping.read.tables)
    found = [name for name, part in parts.items() if _stands_in(part, seen)]
    share = float(bool(found)) if is_any else len(found) / len(parts)
    missing = tuple(_named(part) for name, part in parts.items() if name not in found)
    if share:
        return Footprint(standard, share, len(found), () if share == 1 else missing, is_part=share < 1)
    if any(_stands_in(part, seen) for part in mapping.read.tables.values()) or _is_lone(seen, mapping):
        return Footprint(standard, 0.0, 0, missing, is_part=True)
    return Footprint(standard, 0.0)


def _stands_in(part: TablePart, seen: Look) -> bool:
    if part.record_path:
        return _element(part) in seen.elements
    return part.member is not None and any(_is_member(name, part.member) for name in seen.members)


def _is_lone(seen: Look, mapping: FeedMapping) -> bool:
    """Whether a single table bears the name of one of the layout's files, and columns of which its query speaks."""
    if len(seen.members) > 1 or not any(
        part.member and not part.record_path and _is_member(seen.path.name, part.member)
        for part in mapping.read.tables.values()
    ):
        return False
    words = {word for word in _WORD.findall(mapping.read.query or "") if len(word) >= _TELLING}
    return sum(name in words for name in seen.columns) >= _SPOKEN_OF


def _is_member(name: str, pattern: str) -> bool:
    lower, wanted = name.lower(), pattern.lower()
    return fnmatch(lower, wanted) or fnmatch(PurePosixPath(lower).name, wanted)


def _element(part: TablePart) -> str:
    return (part.record_path or "").rpartition("/")[2]


def _named(part: TablePart) -> str:
    return _element(part) if part.record_path else part.member or ""


def packed(folder: Path, into: Path) -> Path:
    """A folder's files as one ZIP of its name, which is how a drop of several files is read; links are left out."""
    archive = into / f"{folder.resolve().name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                zipped.write(file, file.relative_to(folder).as_posix())
    return archive
