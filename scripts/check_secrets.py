"""Find keys, tokens and passwords in the files that are, or are about to be, committed; no network is used.

What belongs here: the scan and its few stand-ins. What does not: a list of excused files, for there is none.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

ROOT = Path(__file__).resolve().parent.parent
# Marks of files that were found clean; `make clean` forgets them.
_CLEAN = ROOT / "build" / "secrets-clean.txt"
# The locks are nothing but hashes, and the installer checks each of them.
_UNREAD = {"uv.lock", "deploy/superset/requirements.txt"}
# Words that examples and tests write where a password stands.
_STAND_INS = {"PASSWORD", "s3cret"}
# A vault's key as `throughline init` makes it: 64 hexadecimal digits, which carry no word to know them by.
_VAULT_KEY = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")


def findings(files: list[Path]) -> list[str]:
    """What looks like a secret, as `file:line: kind`; never the secret itself."""
    workers = min(os.cpu_count() or 1, 8)
    names = [str(file) for file in files]
    shares = [share for share in (names[start :: 4 * workers] for start in range(4 * workers)) if share]
    with ProcessPoolExecutor(workers) as pool:
        return sorted(line for told in pool.map(_of_files, shares) for line in told)


def committed(root: Path) -> list[Path]:
    """Every file that git knows, or would take with `git add .`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    files = [root / name for name in listed.split("\0") if name and name not in _UNREAD]
    return [file for file in files if file.is_file() and not file.is_symlink()]


def unknown(files: list[Path], clean: set[str]) -> dict[Path, str]:
    """The files that no earlier scan of the same rules found clean, each with its mark."""
    rules = hashlib.sha256(Path(__file__).read_bytes() + version("detect-secrets").encode())
    marked = {}
    for file in files:
        mark = rules.copy()
        mark.update(file.name.encode() + b"\0" + file.read_bytes())
        marked[file] = mark.hexdigest()[:32]
    return {file: mark for file, mark in marked.items() if mark not in clean}


def _of_files(names: list[str]) -> list[str]:
    told: set[str] = set()
    with default_settings() as settings:
        # It would ask the service that a token belongs to whether the token is good.
        settings.disable_filters("detect_secrets.filters.common.is_ignored_due_to_verification_policies")
        for name in names:
            told.update(_vault_keys(name))
            told.update(_known_kinds(name))
    return list(told)


def _vault_keys(name: str) -> Iterator[str]:
    content = Path(name).read_bytes()
    for found in _VAULT_KEY.finditer(content):
        line = content.count(b"\n", 0, found.start()) + 1
        yield f"{name}:{line}: vault key"


def _known_kinds(name: str) -> Iterator[str]:
    for secret in scan_file(name):
        if secret.secret_value not in _STAND_INS:
            yield f"{name}:{secret.line_number}: {secret.type.lower()}"


def main(arguments: list[str]) -> int:
    """Scan the files named, or all that git has or would take; 1 if anything looks like a secret."""
    if arguments:
        told = findings([Path(name) for name in arguments])
    else:
        clean = set(_CLEAN.read_text().split()) if _CLEAN.is_file() else set()
        fresh = unknown(committed(ROOT), clean)
        told = findings(list(fresh))
        if not told:  # so that the next scan reads only what has changed
            _CLEAN.parent.mkdir(exist_ok=True)
            _CLEAN.write_text("\n".join(sorted(clean | set(fresh.values()))) + "\n")
    if told:
        sys.stderr.write("".join(f"{line}\n" for line in told))
        sys.stderr.write(
            "Take it out, and change it wherever it opens something: git keeps what was once committed. "
            "In an example write PASSWORD for it.\n"
        )
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
