"""`python -m tests.fuzz TARGET --seconds N`, or every target in turn, each in a process of its own.

What belongs here: driving the fuzzer. What does not: what is fuzzed (`targets`).
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

_OUTPUT = Path(__file__).parents[2] / "build" / "fuzz"


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one target; libFuzzer ends the process, with a code other than 0 after a fault."""
    import atheris

    with atheris.instrument_imports(include=["ingestion.readers"]):
        from ingestion import readers

        # Formats are imported when they are first needed, which would be too late to be watched.
        for module in pkgutil.iter_modules(readers.__path__):
            importlib.import_module(f"ingestion.readers.{module.name}")
        from tests.fuzz.targets import check, targets
        from warehouse import duck

        found = targets()
    if name not in found:
        raise SystemExit(f"No target '{name}'. Targets: {', '.join(sorted(found))}.")
    target, con = found[name], duck.connect(threads=1)
    corpus, folder = _OUTPUT / name / "corpus", Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=3000", "-max_len=30000", "-print_final_stats=1",
               f"-artifact_prefix={_OUTPUT / name}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], str(corpus), *options], lambda data: check(target, data, con, folder))
    atheris.Fuzz()


def _replay(name: str, file: Path) -> None:
    """One input again, without the fuzzer."""
    from tests.fuzz.targets import check, targets
    from warehouse import duck

    with tempfile.TemporaryDirectory() as folder:
        check(targets()[name], file.read_bytes(), duck.connect(), Path(folder))


def _all(seconds: int) -> int:
    """Every target, and one line for each; how many found a fault."""
    from tests.fuzz.targets import targets

    names, faults = sorted(targets()), 0
    for name in names:
        command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds)]
        (_OUTPUT / name).mkdir(parents=True, exist_ok=True)
        log = _OUTPUT / name / "log.txt"
        with log.open("wb") as stream:
            code = subprocess.run(command, stdout=stream, stderr=stream, check=False).returncode
        runs = [
            line
            for line in log.read_text(errors="replace").splitlines()
            if "number_of_executed_units" in line
        ]
        print(
            f"{name}: {'fault, see ' + str(log) if code else 'no fault'}; runs {runs[-1].split()[-1] if runs else '?'}"
        )
        faults += bool(code)
    return faults


def main() -> int:
    """Exit code 1 when any target found a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="?", help="one target; all in turn without")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--replay", type=Path, help="an input that was kept, read once more")
    chosen = parser.parse_args()
    if chosen.target and chosen.replay:
        _replay(chosen.target, chosen.replay)
        return 0
    if chosen.target:
        _fuzz(chosen.target, chosen.seconds)
        return 0
    return int(_all(chosen.seconds) > 0)


if __name__ == "__main__":
    sys.exit(main())
