"""Reading a community's YAML with errors that name file, line, value and what is allowed.

What belongs here: finding and validating configuration files. What does not: their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from warehouse.community.config import CommunityConfig, PartnerConfig
from warehouse.settings import CommunityPaths

_Model = TypeVar("_Model", bound=BaseModel)


class ConfigurationError(Exception):
    """A configuration file is missing or wrong; the message says where and what is allowed."""


@dataclass(frozen=True)
class Community:
    """A community as configured: its paths, `community.yml` and its partners by id."""

    paths: CommunityPaths
    config: CommunityConfig
    partners: Mapping[str, PartnerConfig]


def read_yaml(path: Path, model: type[_Model]) -> _Model:
    """Read one YAML file into a model.

    Raises:
        ConfigurationError: the file is absent, is not YAML, or breaks the model; names file and line.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such file. Create it, or start with `throughline init`.")
    try:
        data = parse_yaml(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not readable as YAML: {_first_line(error)}") from None
    try:
        return model.model_validate(plain(data))
    except ValidationError as error:
        raise ConfigurationError(_explain(path, data, error)) from None


@lru_cache(maxsize=1024)
def parse_yaml(text: str) -> Any:
    """YAML with the line of every part, for reading alone: a night asks for the same files time and again.

    Raises:
        YAMLError: it is no YAML.
    """
    return YAML(typ="rt").load(text) or {}


def load_community(root: Path) -> Community:
    """Load the community that lies in a folder.

    Raises:
        ConfigurationError: see `read_yaml`; also when a partner's id differs from its folder's name.
    """
    paths = CommunityPaths(root)
    config = read_yaml(paths.config, CommunityConfig)
    partners: dict[str, PartnerConfig] = {}
    for file in sorted(paths.partners.glob("*/partner.yml")):
        partner = read_yaml(file, PartnerConfig)
        if partner.partner_id != file.parent.name:
            raise ConfigurationError(
                f"{file}: partner_id '{partner.partner_id}' differs from its folder '{file.parent.name}'. "
                "Rename one of them."
            )
        partners[partner.partner_id] = partner
    return Community(paths, config, partners)


def plain(node: Any) -> Any:
    """Parsed YAML as dictionaries and lists of the caller's own."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return node


def _explain(path: Path, data: Any, error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        line = _line_of(data, item["loc"])
        lines.append(f"{path}:{line}: {where or 'document'}: {item['msg']}")
    return "\n".join(lines)


def _line_of(data: Any, loc: tuple[int | str, ...]) -> int:
    """Line (from 1) of the deepest part of `loc` that stands in the document."""
    line = 1
    node = data
    for part in loc:
        try:
            position = node.lc.key(part) if isinstance(part, str) else node.lc.item(part)
            line = position[0] + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
