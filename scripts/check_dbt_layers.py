"""Hold the order of the dbt layers: arrows point from staging to marts, never back.

What belongs here: the rule and its check over the models' own `ref` and `source` calls.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "dbt_project" / "models"
# A layer may read what stands in its row, and itself.
MAY_READ = {
    "staging": {"source:lake", "source:config", "seed"},
    "intermediate": {"staging", "seed", "source:config"},
    "core": {"staging", "intermediate", "seed", "source:config"},
    "indicators": {"intermediate", "core", "seed", "source:config"},
    "marts": {"core", "indicators", "intermediate", "seed", "source:config", "source:lake"},
}
REF = re.compile(r"\bref\(\s*['\"]([a-z0-9_]+)['\"]\s*\)")
SOURCE = re.compile(r"\bsource\(\s*['\"]([a-z0-9_]+)['\"]\s*,")


def violations() -> list[str]:
    """Every reading against the order, as a sentence."""
    layer_of = {file.stem: file.relative_to(MODELS).parts[0] for file in MODELS.rglob("*.sql")}
    seeds = {file.stem for file in (MODELS.parent / "seeds").rglob("*.csv")}
    told = []
    for file in sorted(MODELS.rglob("*.sql")):
        layer = layer_of[file.stem]
        allowed = MAY_READ.get(layer)
        if allowed is None:
            told.append(f"{file}: '{layer}' is no known layer; layers are {', '.join(MAY_READ)}")
            continue
        text = file.read_text(encoding="utf-8")
        for name in REF.findall(text):
            target = "seed" if name in seeds else layer_of.get(name, "missing")
            if target != layer and target not in allowed:
                told.append(f"{file}: layer {layer} may not read {name} ({target})")
        for name in SOURCE.findall(text):
            if f"source:{name}" not in allowed:
                told.append(f"{file}: layer {layer} may not read source {name}")
    return told


def main() -> int:
    """Print what breaks the order; 1 if anything does."""
    told = violations()
    sys.stderr.write("".join(f"{line}\n" for line in told))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
