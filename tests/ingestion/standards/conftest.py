"""What the tests of several standards share."""

from __future__ import annotations

import io
import zipfile


def zipped(files: dict[str, str]) -> bytes:
    """An archive of these files in memory."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()
