"""Rewrite uv.lock without host names: the index is the installing machine's own affair.

What belongs here: the one transformation that `make lock` applies. Versions and hashes stay; where a file
is fetched from does not.
"""

import re
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "uv.lock"


def main() -> None:
    """Replace every download address in uv.lock by its file name, and the index by a neutral word."""
    text = LOCK.read_text()
    text = re.sub(r'url = "https?://[^"]*/([^"/]+)"', r'filename = "\1"', text)
    text = re.sub(r'registry = "https?://[^"]*"', 'registry = "index"', text)
    LOCK.write_text(text)


if __name__ == "__main__":
    main()
