"""PGP-encrypted drops: decrypted by GnuPG into a private folder, then read by their own format.

What belongs here: decrypting. What does not: keys, which GnuPG keeps (`THROUGHLINE_PGP_HOME`,
`THROUGHLINE_PGP_PASSPHRASE`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import gnupg

from ingestion.readers.model import Member, ReadResult, Request, UnreadableFileError
from ingestion.readers.scratch import scratch_folder


def tables(request: Request) -> list[Member]:
    """The parts of what was encrypted."""
    from ingestion.readers.formats import list_tables

    with _decrypted(request) as inner:
        return list_tables(inner)


def read(request: Request) -> ReadResult:
    """Decrypt and read; see `ingestion.readers.read`."""
    from ingestion.readers.formats import read_request

    with _decrypted(request) as inner:
        return read_request(inner)


@contextmanager
def _decrypted(request: Request) -> Iterator[Request]:
    with scratch_folder(request) as folder:
        suffix = re.sub(r"[^A-Za-z0-9.]", "", Path(request.path.stem).suffix)[:12]
        target = folder / f"decrypted{suffix}"
        _decrypt(request, target)
        yield replace(request, path=target, inside=(*request.inside, "pgp"))


def _decrypt(request: Request, target: Path) -> None:
    """Decrypt, and accept the result only when GnuPG vouches that it is whole and unchanged."""
    keys = request.keys
    if keys.pgp_home is not None and not keys.pgp_home.is_dir():
        raise _cannot("The folder of the PGP keys is missing", "Correct THROUGHLINE_PGP_HOME.")
    options = ["--no-auto-key-retrieve", "--max-output", str(request.limits.max_bytes)]
    try:
        gpg = gnupg.GPG(gnupghome=str(keys.pgp_home) if keys.pgp_home else None, options=options)
    except (OSError, ValueError):
        raise _cannot("GnuPG is not installed", "Install the package gnupg.") from None
    # An empty passphrase is not the same as none: with it, GnuPG is given nothing to decrypt.
    passphrase = (keys.pgp_passphrase.get_secret_value() if keys.pgp_passphrase else "") or None
    result = gpg.decrypt_file(str(request.path), passphrase=passphrase, output=str(target), always_trust=True)
    if not result.ok:
        raise UnreadableFileError(
            "cannot_decrypt",
            f"It could not be decrypted ({result.status or 'no reason given'}).",
            "Encrypt it for the platform's public key and send it whole; else have the data engineer check the key "
            "(THROUGHLINE_PGP_HOME, THROUGHLINE_PGP_PASSPHRASE).",
        )


def _cannot(why: str, fix: str) -> UnreadableFileError:
    return UnreadableFileError(
        "cannot_decrypt", f"{why}.", f"{fix} The file is kept in the archive meanwhile."
    )
