"""Ask the semantic layer many questions in one process of its own, as MetricFlow keeps global state.

Reads {"release": folder, "questions": {name: question}} from standard input; prints the answers as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestration.semantic import MetricsError, Question, SemanticLayer


def _answer(layer: SemanticLayer, question: dict[str, Any]) -> dict[str, Any]:
    try:
        return asdict(layer.ask(Question(**question)))
    except MetricsError as error:
        return {"error": str(error)}


def main() -> None:
    asked = json.load(sys.stdin)
    layer = SemanticLayer(Path(asked["release"]))
    answers = {name: _answer(layer, question) for name, question in asked["questions"].items()}
    told = {"answers": answers, "metrics": layer.metrics(), "saved": layer.saved_queries()}
    json.dump(told, sys.stdout, default=str)


if __name__ == "__main__":
    main()
