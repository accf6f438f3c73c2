"""One at a time, whoever starts a night."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.community_resource import CommunityResource, NightLock
from orchestration.definitions import build_definitions
from warehouse.run_lock import RunLockedError, run_lock, run_lock_unless_held
from warehouse.settings import CommunityPaths


@pytest.fixture
def paths(tmp_path: Path) -> CommunityPaths:
    (tmp_path / "community.yml").write_text("community_id: town\nname: Town\n")
    return CommunityPaths(tmp_path).ensure()


def _other_process_gets_it(paths: CommunityPaths) -> bool:
    code = (
        "import sys; from pathlib import Path; from warehouse.run_lock import run_lock\n"
        "from warehouse.settings import CommunityPaths\n"
        "with run_lock(CommunityPaths(Path(sys.argv[1]))): pass"
    )
    command = [sys.executable, "-c", code, str(paths.root)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_run_of_the_daemon_holds_the_lock(paths: CommunityPaths) -> None:
    """If not, a backup is taken in the middle of a scheduled night."""
    seen = []

    @dg.op
    def work(night_lock: NightLock) -> None:
        seen.append(_other_process_gets_it(paths))

    community = CommunityResource(folder=str(paths.root))

    @dg.job(resource_defs={"night_lock": NightLock(community=community)})
    def night() -> None:
        work()

    assert night.execute_in_process().success
    assert seen == [False] and _other_process_gets_it(paths)


def test_the_nightly_job_asks_for_the_lock() -> None:
    """If not, the schedule runs without it."""
    job = build_definitions().resolve_job_def("nightly")
    step = next(node for node in job.nodes if node.name == "accept_deliveries")
    assert "night_lock" in step.definition.required_resource_keys


def test_a_night_under_the_command_does_not_wait_for_itself(paths: CommunityPaths) -> None:
    """If not, `throughline run` never ends."""
    with run_lock(paths):
        with run_lock_unless_held(paths):
            pass
        assert not _other_process_gets_it(paths)
        with pytest.raises(RunLockedError), run_lock(paths):
            pass
