"""What a release says of itself besides its figures: disclosure, quality and lineage, as JSON.

What belongs here: gathering what other parts of the night left. What does not: judging any of it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warehouse.release.attack import Attacked
from warehouse.release.protect import Policy
from warehouse.release.spec import PublishedTable
from warehouse.release.tables import PublishedSet
from warehouse.settings import CommunityPaths


def disclosure_audit(published: PublishedSet, policy: Policy) -> dict[str, Any]:
    """What was protected by which rules, in sums alone: no reader learns why one cell is withheld."""
    protection = published.protection
    return {
        "policy": policy.name,
        "minimum_n": policy.minimum_n,
        "smallest_part": policy.smallest_part,
        "doubt": {"downward": policy.lower, "upward": policy.upper},
        "complementary": policy.complementary,
        "rules": list(protection.rules) if protection else [],
        "cells": protection.cells if protection else 0,
        "suppressed_cells": protection.suppressed_cells if protection else 0,
        "share_of_people_shown": _share(
            protection.people_in_cells - protection.people_in_suppressed_cells, protection.people_in_cells
        )
        if protection
        else None,
        "suppressed_rows": dict(published.suppressed_rows),
    }


def attack_audit(alone: Attacked, with_earlier: Attacked) -> dict[str, Any]:
    """What the attacker found in the files, in sums alone.

    `told` rows are those that he can tell more closely than the policy allows. With the earlier releases he also takes
    a row that is withheld now to be what it was when it was shown, and a sum over such rows what it was when it could
    be worked out, where that is still so. What the earlier releases tell whatever is withheld now is counted apart.
    """
    return {
        "method": "least and most of every withheld count, in whole numbers, from all rows of a year together",
        "systems": alone.blocks,
        "doubts": alone.doubts,
        "told": len(alone.added),
        "told_by_public_counts_alone": len(alone.before),
        "told_with_earlier_releases": len(with_earlier.added),
        "told_by_earlier_releases_alone": len(with_earlier.before),
    }


def quality_audit(paths: CommunityPaths, run_id: str) -> dict[str, Any] | None:
    """The quality gate's verdict on the night: each rule, without counts of single tables; None if it did not run."""
    file = paths.quality / f"{run_id}.json"
    if not file.is_file():
        return None
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    kept = ("table", "rule_id", "severity", "success", "why")
    return {
        "rules": len(results),
        "failed": sum(not result["success"] for result in results),
        "results": [{name: result.get(name) for name in kept} for result in results],
    }


def lineage(paths: CommunityPaths, tables: Sequence[PublishedTable]) -> dict[str, Any] | None:
    """From each published table back over the models to the feeds; None where no models were built."""
    read = _dbt_manifest(paths)
    if read is None:
        return None
    manifest, by_name = read
    found: dict[str, Any] = {}
    for table in tables:
        start = by_name.get(table.source.split(".")[1])
        if start is not None:
            found[table.name] = {"source": table.source, **_walk(manifest, start)}
    return found


def model_lineage(paths: CommunityPaths, model: str) -> dict[str, Any] | None:
    """A model's file and hash, and the way from it back to the feeds; None where it was not built."""
    read = _dbt_manifest(paths)
    if read is None or model not in read[1]:
        return None
    manifest, by_name = read
    node = manifest["nodes"][by_name[model]]
    named = {"model": model, "file": node["original_file_path"], "sha256": node["checksum"]["checksum"]}
    return named | _walk(manifest, by_name[model])


def _dbt_manifest(paths: CommunityPaths) -> tuple[Mapping[str, Any], Mapping[str, str]] | None:
    """The manifest of the models, and the keys of models and seeds by name."""
    file = paths.dbt / "manifest.json"
    if not file.is_file():
        return None
    manifest = json.loads(file.read_text(encoding="utf-8"))
    kinds = ("model", "seed")
    return manifest, {n["name"]: key for key, n in manifest["nodes"].items() if n["resource_type"] in kinds}


def _walk(manifest: Mapping[str, Any], start: str) -> dict[str, list[str]]:
    seen, waiting = {start}, deque([start])
    while waiting:
        node = manifest["nodes"].get(waiting.popleft())
        for parent in node["depends_on"].get("nodes", []) if node else []:
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    models = [manifest["nodes"][key] for key in seen if key in manifest["nodes"]]
    sources = [manifest["sources"][key] for key in seen if key in manifest.get("sources", {})]
    return {
        "models": sorted(node["name"] for node in models if node["resource_type"] == "model"),
        "seeds": sorted(node["name"] for node in models if node["resource_type"] == "seed"),
        "feeds": sorted(node["name"] for node in sources if node["source_name"] == "lake"),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def write_audits(folder: Path, audits: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Write each audit that there is as `audits/<name>.json`."""
    (folder / "audits").mkdir()
    for name, content in audits.items():
        if content is not None:
            text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
            (folder / "audits" / f"{name}.json").write_text(text, encoding="utf-8")
