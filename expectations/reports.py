"""Reports of the quality gate, kept as JSON.

What belongs here: writing and reading them, and what a series of them says. What does not: running suites (`run`),
which imports Great Expectations.
"""

from __future__ import annotations

from pathlib import Path

from expectations.model import QualityReport, Since

_KEPT_REPORTS = 30
_LATEST = "latest.json"
# Folder of the pages of the nights, beside the reports.
DATA_DOCS = "docs"


def save_report(report: QualityReport, folder: Path) -> Path:
    """Keep a report as JSON, the last thirty of them, and as `latest.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.run_id}.json"
    for target in (path, folder / _LATEST):
        beside = target.with_suffix(".tmp")
        beside.write_text(report.model_dump_json(indent=1), encoding="utf-8")
        beside.replace(target)
    for old in _kept(folder)[:-_KEPT_REPORTS]:
        old.unlink()
    return path


def load_report(folder: Path, run_id: str | None = None) -> QualityReport | None:
    """The report of a run, or the latest; None where there is none."""
    path = folder / f"{run_id or 'latest'}.json"
    return QualityReport.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def failing_since(folder: Path, run_id: str) -> dict[str, Since]:
    """Where the unbroken series of failures began of which a run is the last, by the id of each rule failing in it.

    Only kept reports are looked at: a rule that has failed for longer counts from the oldest of them.

    Args:
        folder: where the reports are.
        run_id: the run looked at; later ones say nothing of it.
    """
    since: dict[str, Since] = {}
    for file in _kept(folder):
        report = load_report(folder, file.stem)
        for result in report.results if report else []:
            if result.success:
                since.pop(result.rule_id, None)
            else:
                since.setdefault(
                    result.rule_id, Since(run_id=file.stem, on=report.made_on if report else None)
                )
        if file.stem == run_id:
            break
    return since


def _kept(folder: Path) -> list[Path]:
    """Every report once, oldest first."""
    files = set(folder.glob("*.json")) - {folder / _LATEST}
    return sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))
