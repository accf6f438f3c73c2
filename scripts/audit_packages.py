"""Ask a vulnerability service about every locked package; what could not be asked counts as a failure.

What belongs here: running pip-audit and judging its answer. What does not: any other check, for this one alone needs
a network and so is no part of `make lint` or `make test`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOUND, NOT_ASKED = 1, 2
_NEEDS = (
    "`make audit` needs a vulnerability service: PyPI's own (the default) or OSV (`make audit SERVICE=osv`), reached "
    "directly or through the proxy that HTTPS_PROXY names. A mirror of packages alone knows no vulnerabilities. "
    "Nothing is said of the packages above; run it where a service can be reached."
)


def judge(packages: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Exit code and lines of pip-audit's list of packages (`name`, then `version` and `vulns`, or `skip_reason`)."""
    skipped = sorted(package["name"] for package in packages if "skip_reason" in package)
    told = [
        f"{package['name']} {package['version']}: {', '.join([vuln['id'], *vuln['aliases']])}; "
        f"mended in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for package in packages
        for vuln in package.get("vulns", [])
    ]
    code = FOUND if told else 0
    if skipped or not packages:
        told.append(
            f"Not audited, {len(skipped)} of {len(packages)}: {', '.join(skipped) or 'no package listed'}"
        )
        return NOT_ASKED, [*told, _NEEDS]
    return code, told or [f"{len(packages)} locked packages, none with a known vulnerability."]


def audit(requirements: Path, service: str) -> tuple[int, list[str]]:
    """Run pip-audit over a file of pinned and hashed requirements; nothing is downloaded or installed."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement"]
    command += [str(requirements), "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        why = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return NOT_ASKED, [f"pip-audit: {why}", _NEEDS]
    return judge(packages)


def main(arguments: list[str]) -> int:
    """Audit `REQUIREMENTS SERVICE`: 0 clean, 1 vulnerable packages, 2 no full answer."""
    code, told = audit(Path(arguments[0]), arguments[1])
    (sys.stderr if code else sys.stdout).write("".join(f"{line}\n" for line in told))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
