"""ZIP archives: one member is one table, chosen by name or pattern; nothing is trusted that an archive says of itself.

What belongs here: choosing and unpacking a member. What does not: reading it (its own format's module).
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from ingestion.readers.model import Limits, Member, ReadResult, Request, UnreadableFileError
from ingestion.readers.scratch import scratch_folder
from ingestion.readers.sniff import ZIP_BREAKS
from ingestion.readers.xml_tags import elements_in

_BLOCK = 1 << 20
# Beneath this no ratio does harm.
_HARMLESS = 16_000_000
_NO_TABLE = ("__macosx/*", "*/.*", ".*", "*.pdf", "*.doc", "*.docx", "*.md", "*.html", "*.png", "*.jpg", "readme*",
             "*/readme*", "thumbs.db", "*.sig", "*.sha256", "*.md5")  # fmt: skip


def tables(request: Request) -> list[Member]:
    """The members that can be tables, with their unpacked sizes; the archive is held against the limits."""
    with _opened(request.path) as archive:
        return [
            Member(info.filename, "member", info.file_size)
            for info in _checked(archive, request.path, request.limits)
        ]


def read(request: Request) -> ReadResult:
    """Unpack one member into a private folder and read it by its own format; see `ingestion.readers.read`."""
    from ingestion.readers.formats import read_request

    with scratch_folder(request) as folder, _opened(request.path) as archive:
        info = _chosen(_checked(archive, request.path, request.limits), request.hints.member)
        # The name inside the archive never becomes a path; only its suffix is of use.
        suffix = re.sub(r"[^A-Za-z0-9.]", "", PurePosixPath(info.filename).suffix)[:12]
        unpacked = folder / f"member{suffix}"
        _unpack(archive, info, unpacked)
        hints = request.hints.model_copy(update={"member": None})
        inner = read_request(replace(request, path=unpacked, hints=hints, inside=(*request.inside, "zip")))
    return replace(inner, dialect={**inner.dialect, "member": info.filename})


def members_with(request: Request, element: str | None = None) -> list[str]:
    """Names of the members that fit the pattern and, where an XML element is named, can hold it."""
    with _opened(request.path) as archive:
        pattern = (request.hints.member or "*").lower()
        infos = [info for info in _checked(archive, request.path, request.limits) if _fits(info, pattern)]
        last = (element or "").rpartition("/")[2]
        return [info.filename for info in infos if not last or _may_hold(archive, info, last)]


def _fits(info: zipfile.ZipInfo, pattern: str) -> bool:
    name = info.filename.lower()
    return fnmatch(name, pattern) or fnmatch(PurePosixPath(name).name, pattern)


def elements_with(request: Request, wanted: frozenset[str]) -> set[str]:
    """Which XML elements of those wanted can stand in any of the members."""
    found: set[str] = set()
    with _opened(request.path) as archive:
        for info in _checked(archive, request.path, request.limits):
            if not info.flag_bits & 0x1 and info.filename.lower().endswith(".xml"):
                with archive.open(info) as source:
                    found |= elements_in(source, wanted - found)
    return found


def _may_hold(archive: zipfile.ZipFile, info: zipfile.ZipInfo, element: str) -> bool:
    if info.flag_bits & 0x1:
        return True  # encrypted: refused with its reason when it is read
    with archive.open(info) as source:
        return bool(elements_in(source, frozenset({element})))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UnreadableFileError:
        raise
    except ZIP_BREAKS as error:
        raise UnreadableFileError(
            "broken_zip",
            f"It is no whole ZIP archive ({type(error).__name__}).",
            "Make and send the archive again.",
        ) from None


def _checked(archive: zipfile.ZipFile, path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """The members that can be tables, once the archive as a whole is within the limits and its names are harmless."""
    infos = archive.infolist()
    if len(infos) > limits.max_zip_members:
        _refuse("too_many_members", f"It holds {len(infos):,} files.", "Send fewer, or raise the limit.")
    for number, info in enumerate(infos, start=1):
        if _leads_out(info):
            why = f"Entry {number:,} has an absolute path, '..', a link or control characters in its name."
            _refuse("unsafe_member", why, "Make the archive of plain files again.")
    total, packed = sum(info.file_size for info in infos), path.stat().st_size
    if total > limits.max_zip_total:
        why = f"It would unpack to {total:,} bytes; the limit is {limits.max_zip_total:,}."
        _refuse("zip_bomb", why, "Send smaller archives, or raise the limit.")
    if total > _HARMLESS and total > limits.max_zip_ratio * packed:
        why = f"It would unpack to {total / packed:,.0f} times its size, as no true export does."
        _refuse("zip_bomb", why, "Send the files themselves, or raise the limit.")
    plain = [info for info in infos if not info.is_dir()]
    found = [i for i in plain if not any(fnmatch(i.filename.lower(), pattern) for pattern in _NO_TABLE)]
    if not found:
        _refuse("empty_archive", "It holds no file that could be a table.", "Send the archive again.")
    return found


def _leads_out(info: zipfile.ZipInfo) -> bool:
    name = info.orig_filename
    parts = re.split(r"[/\\]", name)
    mode = info.external_attr >> 16
    return (
        name.startswith(("/", "\\"))
        or re.match(r"[A-Za-z]:", name) is not None
        or ".." in parts
        or any(ord(c) < 32 or ord(c) == 127 for c in name)
        or (stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR))
    )


def _chosen(infos: list[zipfile.ZipInfo], wanted: str | None) -> zipfile.ZipInfo:
    """The one member that the pattern fits, on its whole name or its last part."""
    names = ", ".join(f"'{_shown(info)}'" for info in infos[:20])
    if wanted is None:
        if len(infos) > 1:
            why = f"It holds {len(infos):,} files, each a table of its own: {names}."
            _refuse("several_members", why, "Name one as `member` in a mapping for each.")
        return infos[0]
    exact = [info for info in infos if info.filename == wanted]
    found = exact or [info for info in infos if _fits(info, wanted.lower())]
    if not found:
        _refuse(
            "no_member", f"No file in it fits '{wanted}'. Files: {names}.", "Mend `member`, or the archive."
        )
    if len(found) > 1:
        named = ", ".join(f"'{_shown(info)}'" for info in found[:20])
        _refuse("several_members", f"Several files in it fit '{wanted}': {named}.", "Make `member` narrower.")
    return found[0]


def _shown(info: zipfile.ZipInfo) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in info.filename)[:100]


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """Unpack a member, no more than it claims to be; its checksum is verified at the end."""
    if info.flag_bits & 0x1:
        why = f"The file '{_shown(info)}' in it is encrypted with a password."
        _refuse("encrypted_member", why, "Send it without a password, or encrypted with PGP.")
    written = 0
    with archive.open(info) as source, target.open("wb") as sink:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > info.file_size:
                _refuse("zip_bomb", "It unpacks to more than it says.", "Make the archive again.")
            sink.write(block)


def _refuse(code: str, why: str, fix: str) -> None:
    raise UnreadableFileError(code, why, fix)
