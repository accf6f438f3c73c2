"""Reading mappings, a partner's own and the ready-made ones, and holding them against the contracts of their feeds.

What belongs here: files, and the standard that a file builds upon. What does not: what may be wrong with one (`faults`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.error import YAMLError

from ingestion.mapping.faults import faults_of, near
from ingestion.mapping.model import FeedMapping
from warehouse.community import Community, ConfigurationError, parse_yaml, plain, read_yaml

_STANDARDS = Path(__file__).parents[1] / "standards"
_SHARED_CODES = "_codes.yml"


class MappingError(ConfigurationError):
    """A mapping is wrong; the message names file, place and what is allowed."""


def load_mappings(community: Community) -> list[FeedMapping]:
    """Every mapping of every partner, in order of partner and file.

    Raises:
        MappingError: a file is wrong, or names what does not exist; the message names file, line and what is allowed.
    """
    return [
        mapping
        for partner_id in sorted(community.partners)
        for mapping in load_partner_mappings(community, partner_id)
    ]


def load_partner_mappings(community: Community, partner_id: str) -> list[FeedMapping]:
    """The mappings of one partner, in order of file.

    Raises:
        MappingError: see `load_mappings`; also when two mappings have one name.
    """
    mappings: dict[str, FeedMapping] = {}
    for file in sorted((community.paths.partners / partner_id / "feeds").glob("*.yml")):
        mapping = read_mapping(file)
        name = mapping.name or file.stem
        if name in mappings:
            raise MappingError(
                f"{file}:{_line(file, 'name')}: the name '{name}' is taken by {mappings[name].path}. "
                "Give each mapping of a partner its own `name`."
            )
        update: dict[str, Any] = {"partner_id": partner_id, "path": str(file), "name": name}
        mappings[name] = mapping.model_copy(update=update)
    return list(mappings.values())


def read_mapping(file: Path) -> FeedMapping:
    """Read one mapping file and hold it against the contract of its feed.

    Raises:
        MappingError: see `load_mappings`.
    """
    try:
        mapping = _with_standard(file) or read_yaml(file, FeedMapping)
    except ConfigurationError as error:
        raise MappingError(str(error)) from None
    for place, message in faults_of(mapping):
        raise MappingError(f"{file}:{_line(file, *place)}: {message}")
    if not mapping.columns:
        return mapping
    layouts = [
        layout.model_copy(update={"columns": {**layout.columns, **mapping.columns}})
        for layout in mapping.layouts
    ]
    return mapping.model_copy(update={"layouts": layouts})


def standards() -> list[str]:
    """Names of the ready-made mappings."""
    files = [path for path in _STANDARDS.rglob("*.yml") if path.name != _SHARED_CODES]
    return sorted(str(path.relative_to(_STANDARDS).with_suffix("")) for path in files)


def load_standard(name: str) -> FeedMapping:
    """A ready-made mapping as it ships, with the codes that its folder shares."""
    return FeedMapping.model_validate(_standard(name))


def standard_title(name: str) -> str:
    """What a ready-made mapping is made for, as its file begins to say: `Teaching Strategies GOLD`."""
    first = (_STANDARDS / f"{name}.yml").read_text(encoding="utf-8").partition("\n")[0]
    return re.split(r"[:;,(]", first.lstrip("# "))[0].strip().rstrip(".")


def _standard(name: str) -> dict[str, Any]:
    path = _STANDARDS / f"{name}.yml"
    # Codes that the standards of one folder share stand beside them.
    shared = _yaml(path.with_name(_SHARED_CODES)) if path.with_name(_SHARED_CODES).exists() else {}
    base: dict[str, Any] = _yaml(path)
    return {**base, "code_lists": _code_lists(shared, base)}


def _with_standard(file: Path) -> FeedMapping | None:
    """The mapping upon the ready-made one that it names: a key given here takes the place of the standard's.

    Code lists are completed instead, code by code: what a system adds to a standard's codes is a line or two.
    """
    own = _yaml(file)
    if not isinstance(own, dict) or "standard" not in own:
        return None
    names = standards()
    if own["standard"] not in names:
        close = near(str(own["standard"]), names)
        raise MappingError(
            f"{file}:{_line(file, 'standard')}: no standard '{own['standard']}'{close}. Standards: {', '.join(names)}"
        )
    base = _standard(own["standard"])
    try:
        return FeedMapping.model_validate({**base, **own, "code_lists": _code_lists(base, own)})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = [part for part in first["loc"] if isinstance(part, (str, int))]
        raise MappingError(
            f"{file}:{_line(file, *place)}: {'.'.join(map(str, place))}: {first['msg']}"
        ) from None


def _code_lists(base: dict[str, Any], own: dict[str, Any]) -> Any:
    ours, theirs = own.get("code_lists") or {}, base.get("code_lists") or {}
    if not isinstance(ours, dict) or not all(isinstance(codes, dict) for codes in ours.values()):
        return ours  # told with its line by the model
    return {name: {**theirs.get(name, {}), **ours.get(name, {})} for name in [*theirs, *ours]}


def _yaml(file: Path) -> Any:
    try:
        return plain(parse_yaml(file.read_text(encoding="utf-8")))
    except YAMLError:
        return None  # told with its line by the usual way


def _line(file: Path, *place: str | int) -> int:
    """Line of a place in a YAML file, of its deepest part that stands there."""
    node: Any = parse_yaml(file.read_text(encoding="utf-8"))
    line = 1
    for part in place:
        try:
            line = (node.lc.key(part) if isinstance(part, str) else node.lc.item(part))[0] + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
