"""What is installed is listed and can be audited, and no key lies among the files."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import string
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from cyclonedx.model.bom import Bom

ROOT = Path(__file__).parents[2]


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scan() -> ModuleType:
    return _script("check_secrets")


@pytest.fixture(scope="module")
def auditor() -> ModuleType:
    return _script("audit_packages")


DRAW = random.Random(20)


def _drawn(alphabet: str, length: int) -> str:
    return "".join(DRAW.choice(alphabet) for _ in range(length))


def _scanned(*files: Path) -> tuple[int, list[str]]:
    command = [sys.executable, str(ROOT / "scripts" / "check_secrets.py"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def test_a_planted_key_is_found(tmp_path: Path) -> None:
    """If not, a key goes into the history, where it stays. The keys are drawn here, so none lies in this file."""
    letters = string.ascii_letters + string.digits
    begin, end = ("-----" + word + " RSA PRIVATE KEY-----" for word in ("BEGIN", "END"))
    planted = {
        "vault.key": _drawn("0123456789abcdef", 64) + "\n",
        "cloud.py": f'ID = "{"AK" + "IA" + _drawn(string.ascii_uppercase + string.digits, 16)}"\n',
        "private.pem": f"{begin}\n{_drawn(letters, 64)}\n{end}\n",
        "service.env": f"URL=postgresql://throughline:{_drawn(letters, 12)}@db/x\n",
        "settings.yml": f"smtp_password: {_drawn(letters, 14)}\n",
        "token.txt": f"gh{'p'}_{_drawn(letters, 36)}\n",
    }
    for name, text in planted.items():
        (tmp_path / name).write_text(text)
    code, told = _scanned(*sorted(tmp_path.iterdir()))
    assert code == 1
    assert {Path(line.split(":")[0]).name for line in told[:-1]} == set(planted)
    assert all(text.strip()[-12:] not in line for line in told for text in planted.values())


def test_an_example_with_a_stand_in_is_none(tmp_path: Path) -> None:
    """If not, people learn to pass over what the scan says."""
    (tmp_path / "example.env").write_text("URL=postgresql://throughline:PASSWORD@db/x\n")
    assert _scanned(tmp_path / "example.env") == (0, [])


def test_the_scan_reads_what_would_be_committed(scan: ModuleType, tmp_path: Path) -> None:
    """If not, a new file is scanned only after it was committed."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607 - git is the one on the path
    for name in ("new.py", "left_out.log", ".gitignore"):
        (tmp_path / name).write_text("*.log\n")
    assert [file.name for file in scan.committed(tmp_path)] == [".gitignore", "new.py"]


def test_a_file_found_clean_is_read_again_once_it_changed(scan: ModuleType, tmp_path: Path) -> None:
    """If not, a key that is written into an old file is never found."""
    file = tmp_path / "settings.yml"
    file.write_text("smtp_server: mail\n")
    clean = set(scan.unknown([file], set()).values())
    assert scan.unknown([file], clean) == {}
    file.write_text("smtp_server: nail\n")
    assert list(scan.unknown([file], clean)) == [file]


def test_the_list_of_parts_names_every_locked_package(tmp_path: Path) -> None:
    """If not, who asks whether a release holds a package gets a wrong answer."""
    for name in ("Makefile", "pyproject.toml", "uv.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".uv").symlink_to(ROOT / ".uv")
    subprocess.run(["make", "--silent", "sbom"], cwd=tmp_path, check=True)  # noqa: S607 - make is the one on the path
    lists = [
        Bom.from_json(json.loads((tmp_path / "build" / name).read_text()))
        for name in ("throughline.cdx.json", "throughline-spark.cdx.json")
    ]
    parts = [part for bom in lists for part in bom.components]
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    wanted = {(p["name"], p["version"]) for p in locked if "registry" in p["source"]}
    assert len(wanted) > 100
    assert {(part.name, part.version) for part in parts} == wanted
    assert {str(part.purl) for part in parts} == {f"pkg:pypi/{n}@{v}" for n, v in wanted}


def test_the_lock_names_no_host() -> None:
    """If not, a machine that has its own index asks another for the packages."""
    text = (ROOT / "uv.lock").read_text()
    assert "://" not in text and 'registry = "index"' in text


def test_an_audit_that_reaches_nobody_says_so(auditor: ModuleType, tmp_path: Path) -> None:
    """If not, no answer is taken for a good one."""
    file = tmp_path / "requirements.txt"
    file.write_text(f"yarl==1.25.1 --hash=sha256:{'0' * 63}1\n")
    nobody = "http://127.0.0.1:9"
    before = dict(os.environ)
    os.environ.update(HTTPS_PROXY=nobody, https_proxy=nobody, NO_PROXY="", no_proxy="")
    try:
        code, told = auditor.audit(file, "pypi")
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert code == auditor.NOT_ASKED
    assert "needs a vulnerability service" in told[-1]


def test_an_audit_tells_good_from_bad_and_from_unknown(auditor: ModuleType) -> None:
    """If not, a mirror that answers 404 to everything passes for a clean bill of health."""
    good = {"name": "one", "version": "1", "vulns": []}
    bad = {"name": "two", "version": "2", "vulns": [{"id": "X-1", "aliases": ["Y-1"], "fix_versions": ["3"]}]}
    unknown = {"name": "three", "skip_reason": "not found"}
    assert auditor.judge([good])[0] == 0
    assert auditor.judge([good, bad]) == (auditor.FOUND, ["two 2: X-1, Y-1; mended in 3"])
    code, told = auditor.judge([good, bad, unknown])
    assert code == auditor.NOT_ASKED and told[0].startswith("two 2") and "three" in told[1]
    assert auditor.judge([])[0] == auditor.NOT_ASKED
