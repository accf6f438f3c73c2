"""`python -m tests.faults.part PART ROOT MOMENT`: a part of a night as a command of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults import parts

if __name__ == "__main__":
    parts.set_clock(sys.argv[3])
    try:
        parts.PARTS[sys.argv[1]](Path(sys.argv[2]))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
