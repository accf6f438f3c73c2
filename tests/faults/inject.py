"""One part of a night in this process, with a fault armed at one of its writing steps.

A writing step is whatever Python tells its audit hooks before it changes a file of the community (open for writing,
rename, remove, make a folder, link, chmod) and each commit of the ledger. What DuckDB writes by itself is met by
kills at random moments and by a limit on the size of files.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

_CHANGES = {
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate",
    "shutil.copyfile", "shutil.rmtree",
}  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Fault:
    """What happens, and when.

    Attributes:
        kind: 'kill' (SIGKILL), 'full' (no space left from then on), 'none' (count the steps), 'size' (no file may
            grow beyond so many bytes), 'vanish' or 'grow' (a dropped file, at the moment it is opened).
        at: the number of the writing step, or of the opening of a dropped file; bytes for 'size'.
    """

    kind: str = "none"
    at: int = 0


class _Hook:
    """Counts steps, and strikes."""

    def __init__(self, root: Path, fault: Fault) -> None:
        self.root, self.fault = str(root), fault
        self.landing = str(root / "data" / "landing")
        self.steps = self.opened = 0
        self.busy = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.busy or not arguments:
            return
        path = str(arguments[0])
        if not path.startswith(self.root):
            return
        self.busy = True
        try:
            if event in _CHANGES or (event == "open" and _is_write(arguments)):
                self.step()
            elif event == "open" and path.startswith(self.landing):
                self.opening(Path(path))
        finally:
            self.busy = False

    def step(self) -> None:
        self.steps += 1
        if self.fault.kind == "kill" and self.steps == self.fault.at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault.kind == "full" and self.steps >= self.fault.at:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opening(self, path: Path) -> None:
        self.opened += 1
        if self.opened != self.fault.at or not path.is_file():
            return
        if self.fault.kind == "vanish":
            path.unlink()
        elif self.fault.kind == "grow":
            with path.open("ab") as more:
                more.write(b"growing,growing,growing\n" * 50)


def _is_write(arguments: tuple[object, ...]) -> bool:
    mode, flags = (*arguments, None, None)[1:3]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITES)


def strike(root: Path, part: Callable[[Path], None], fault: Fault, report: Path) -> None:
    """Do a part of the night with the fault armed; to be called in a process of its own.

    Writes the number of steps and of openings to `report`, outside the community. Ends the process with 1 when the
    part failed, its reason in `report`.
    """
    os.setpgrp()
    hook = _Hook(root, fault)
    if fault.kind == "size":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.at, resource.RLIM_INFINITY))
    else:
        sys.addaudithook(hook)
        sa.event.listen(sa.Engine, "commit", lambda _: hook.step())
    try:
        part(root)
        said = ""
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    hook.busy = True
    if fault.kind == "size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    report.write_text(f"{hook.steps}\n{hook.opened}\n{said}", encoding="utf-8")
    os._exit(1 if said else 0)
