"""Reports of the quality gate, kept as JSON.

What belongs here: writing and reading them. What does not: running suites (`run`), which imports Great Expectations.
"""

from __future__ import annotations

from pathlib import Path

from expectations.model import QualityReport

_KEPT_REPORTS = 30


def save_report(report: QualityReport, folder: Path) -> Path:
    """Keep a report as JSON, the last thirty of them, and as `latest.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.run_id}.json"
    for target in (path, folder / "latest.json"):
        beside = target.with_suffix(".tmp")
        beside.write_text(report.model_dump_json(indent=1), encoding="utf-8")
        beside.replace(target)
    reports = sorted(set(folder.glob("*.json")) - {folder / "latest.json"}, key=lambda p: p.stat().st_mtime)
    for old in reports[:-_KEPT_REPORTS]:
        old.unlink()
    return path


def load_report(folder: Path, run_id: str | None = None) -> QualityReport | None:
    """The report of a run, or the latest; None where there is none."""
    path = folder / f"{run_id or 'latest'}.json"
    return QualityReport.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None
