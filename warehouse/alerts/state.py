"""What was told already, so that nobody is told twice.

What belongs here: one small file beside the logs. What does not: what is told (`events`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from warehouse.settings import CommunityPaths

_RUNS = 50  # how many runs are remembered as told; a sensor may see a run again after the command told it


class AlertState(BaseModel):
    """How the last night ended, which feeds are known to be late, and which runs were told."""

    model_config = ConfigDict(frozen=True)

    last: str = Field("ok", description="ok, failure or block.")
    late: list[str] = Field(default_factory=list, description="Feeds told as late, as partner/feed.")
    held: list[str] = Field(default_factory=list, description="Ids of the held deliveries that were told.")
    told_runs: list[str] = Field(default_factory=list, description="Ids of the runs told, oldest first.")

    def after(self, run_id: str, last: str, late: list[str], held: list[str]) -> AlertState:
        """The state once a run is told."""
        return AlertState(last=last, late=late, held=held, told_runs=[*self.told_runs, run_id][-_RUNS:])


def _file(paths: CommunityPaths) -> Path:
    return paths.logs / "alerts.json"


def load_state(paths: CommunityPaths) -> AlertState:
    """What was told so far; nothing before the first night, or where the file is broken."""
    file = _file(paths)
    try:
        return AlertState.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return AlertState()


def save_state(paths: CommunityPaths, state: AlertState) -> None:
    """Keep what was told; written beside and renamed."""
    file = _file(paths)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_suffix(".part")
    beside.write_text(state.model_dump_json(indent=1), encoding="utf-8")
    beside.replace(file)
