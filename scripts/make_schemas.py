"""Write docs/schemas/*.schema.json from the models that read the YAML files, so that editors complete and check them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ingestion.contracts import FeedContract, load_contracts
from ingestion.mapping import FeedMapping
from warehouse.community.config import CommunityConfig, PartnerConfig

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
_MODELS: dict[str, tuple[type[BaseModel], str]] = {
    "community": (CommunityConfig, "community.yml of a community"),
    "partner": (PartnerConfig, "partners/<partner>/partner.yml of a community"),
    "feed": (FeedMapping, "partners/<partner>/feeds/<feed>.yml of a community"),
    "contract": (FeedContract, "ingestion/feeds/<feed>.yml of the project"),
}
# Set from the folder and the file, never written.
_NOT_WRITTEN = {"feed": ("partner_id", "path")}


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (draft 2020-12) by name."""
    made = {}
    for name, (model, title) in _MODELS.items():
        schema = model.model_json_schema(by_alias=True)
        schema |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
        for field in _NOT_WRITTEN.get(name, ()):
            schema["properties"].pop(field)
        made[name] = schema
    feed = made["feed"]
    feed["properties"]["feed"]["enum"] = sorted(load_contracts())
    # A file that names a standard takes feed, pattern and layouts from it.
    required = feed.pop("required")
    feed["anyOf"] = [{"required": ["standard"]}, {"required": required}]
    return made


def text_of(schema: dict[str, Any]) -> str:
    """A schema as it is written."""
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def stale() -> list[str]:
    """Names of the schemas that no longer say what the code reads."""
    files = {name: FOLDER / f"{name}.schema.json" for name in _MODELS}
    return [
        n
        for n, schema in schemas().items()
        if not files[n].exists() or files[n].read_text() != text_of(schema)
    ]


def write() -> None:
    """Write every schema anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.json").write_text(text_of(schema))


if __name__ == "__main__":
    if "--check" not in sys.argv:
        write()
    elif old := stale():
        sys.exit(f"docs/schemas is out of date: {', '.join(old)}. Run: python scripts/make_schemas.py")
