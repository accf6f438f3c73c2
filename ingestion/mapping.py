"""A partner's mapping: how its own columns and codes become a feed's canonical ones.

What belongs here: the model of `partners/<partner>/feeds/*.yml` and its loading. What does not: applying it
(`acceptance`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml.error import YAMLError

from ingestion.contracts import Cadence, Column, FeedContract, Mode, load_contracts, load_option_sets
from ingestion.readers import ReadHints
from ingestion.readers.model import fold_name as fold
from warehouse.community import Community, ConfigurationError, parse_yaml, plain, read_yaml

_STANDARDS = Path(__file__).parent / "standards"
_SHARED_CODES = "_codes.yml"


class MappingError(ConfigurationError):
    """A mapping is wrong; the message names file, place and what is allowed."""


class _Frozen(BaseModel):
    # Codes such as 1 or 01 are numbers to YAML, and text to a partner.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)


class How(_Frozen):
    """How one canonical column comes about: from a source column, a constant, the file's name, or an expression."""

    from_: str | list[str] | None = Field(None, alias="from", description="Source column, or several.")
    constant: str | int | float | None = Field(None, description="The same value in every row.")
    from_file_name: str | None = Field(
        None, description="Regular expression on the file's name; group 1 counts."
    )
    expression: str | None = Field(
        None, description="SQL over the source columns and `_file_name`, giving text."
    )
    date_format: str | list[str] | None = Field(None, description="strptime formats, tried in order.")
    codes: str | dict[str, str] | None = Field(None, description="Code list by name, or in place.")
    separator: str | None = Field(None, description="Separator inside a cell with several values.")
    convert: Literal["spring_year", "protected_number"] | None = Field(None, description="Named conversion.")
    scale: float | None = Field(None, description="Factor for numbers.")
    add: float | None = Field(None, description="Added to numbers, after the factor.")
    decimal_comma: bool = Field(False, description="Whether numbers are written 1.234,5.")


class Layout(_Frozen):
    """One layout of a file; chosen by its signature, or by the school year in the file's name."""

    name: str = Field("default", description="Name, for messages.")
    signature: list[str] = Field(default_factory=list, description="Source columns that must be present.")
    school_years: list[int] = Field(
        default_factory=list, description="First and last school year it is used for."
    )
    columns: dict[str, str | How] = Field(description="Canonical column: source column, or how.")
    ignore: list[str] = Field(default_factory=list, description="Known source columns left out; globs.")


class Unpivot(_Frozen):
    """A wide table of variables, each row of which becomes one row a variable."""

    id_columns: list[str] = Field(description="Columns that every resulting row keeps.")
    optional_columns: list[str] = Field(
        default_factory=list, description="More such columns that a file may lack; empty there."
    )
    pattern: str = Field(description="Regular expression with groups `variable` and `part`.")
    optional_parts: list[str] = Field(
        default_factory=list, description="Parts that a file may lack; empty there."
    )


FileCheck = Literal[
    "missing_column",
    "extra_column",
    "too_few_rows",
    "much_smaller_than_before",
    "no_trailer",
    "control_count_differs",
    "wrong_school_year",
    "future_school_year",
]
Severity = Literal["refuse", "warn", "note"]


class Checks(_Frozen):
    """What a file must fulfil as a whole, and how much it matters where it does not."""

    minimum_rows: int = Field(1, ge=0, description="Fewer rows refuse the file.")
    shrink_alert: float = Field(
        0.5, ge=0, le=1, description="Fewer rows than this share of the last delivery's refuse the file."
    )
    allow_shrink: bool = Field(False, description="Only tell, do not refuse, when it shrank.")
    trailer_pattern: str | None = Field(
        None, description="Regular expression that the last record must match; that record is no data."
    )
    control_count: str | None = Field(
        None, description="Regular expression on the last record; group 1 is the number of data records."
    )
    school_year: str | int | None = Field(
        None,
        description="School year of the file: a year, or a regular expression on the file's name, group 1 the year.",
    )
    severities: dict[FileCheck, Severity] = Field(
        default_factory=dict,
        description="Severity of a finding on the file as a whole, instead of its default.",
    )


class FeedMapping(_Frozen):
    """One mapping file."""

    feed: str = Field(description="Feed it fills.")
    standard: str | None = Field(
        None, description="Ready-made mapping of `ingestion/standards` that this one fills in or changes."
    )
    name: str = Field("", description="Id, unique within the partner; default the file's name.")
    partner_id: str = Field("", description="Set from the folder.")
    path: str = Field("", description="Set from the file.")
    file_pattern: list[str] | str = Field(description="Globs on the dropped file's name.")
    member: str | None = Field(None, description="Glob inside a zip.")
    issuer: str | How | None = Field(None, description="Whose person ids these are.")
    cadence: Cadence | None = Field(None, description="Instead of the contract's.")
    due: str | None = Field(None, description="MM-DD on which it is due.")
    delivery_mode: Mode | None = Field(None, description="Instead of the contract's.")
    rows: str | None = Field(
        None, description="SQL condition on source columns: other rows are out of scope."
    )
    deleted: str | None = Field(
        None,
        description="SQL condition on source columns: such a row takes its key out. For delivery_mode upsert.",
    )
    read: ReadHints = Field(default_factory=ReadHints, description="What is known of the file's form.")
    layouts: list[Layout] = Field(min_length=1, description="Layouts, the first that fits is used.")
    columns: dict[str, str | How] = Field(
        default_factory=dict, description="Columns that fill in or change those of every layout."
    )
    code_lists: dict[str, dict[str, str]] = Field(default_factory=dict, description="Named code lists.")
    optional_columns: list[str] = Field(
        default_factory=list, description="Source columns that a file may lack; empty there."
    )
    unpivot: Unpivot | None = Field(None, description="For wide tables.")
    checks: Checks = Field(default_factory=Checks, description="Limits on the file as a whole.")

    @property
    def patterns(self) -> list[str]:
        """The file patterns as a list."""
        return [self.file_pattern] if isinstance(self.file_pattern, str) else list(self.file_pattern)

    def takes(self, file_name: str) -> bool:
        """Whether a dropped file's name fits."""
        return any(fnmatch(file_name.lower(), pattern.lower()) for pattern in self.patterns)


def as_how(how: str | How) -> How:
    """A column's entry in its long form."""
    return How(from_=how) if isinstance(how, str) else how


def sources_of(how: How) -> list[str]:
    """Source columns that an entry reads by name."""
    if how.from_ is None:
        return []
    return [how.from_] if isinstance(how.from_, str) else list(how.from_)


def told_by_name(entry: str | How | None) -> bool:
    """Whether a column comes from the file's name alone."""
    if entry is None:
        return False
    how = as_how(entry)
    told = how.from_file_name is not None or "_file_name" in (how.expression or "")
    return told and not sources_of(how)


def expected_columns(mapping: FeedMapping) -> frozenset[str]:
    """Folded names of all source columns that the mapping's layouts read or know, by which a header is recognized."""
    names = {name for layout in mapping.layouts for name in [*layout.signature, *layout.ignore]}
    for layout in mapping.layouts:
        names |= {name for entry in layout.columns.values() for name in sources_of(as_how(entry))}
    return frozenset(map(fold, names - {"variable", "label"}))


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
    for place, message in _faults(mapping):
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
        near = _near(str(own["standard"]), names)
        raise MappingError(
            f"{file}:{_line(file, 'standard')}: no standard '{own['standard']}'{near}. Standards: {', '.join(names)}"
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


_Fault = tuple[tuple[str | int, ...], str]


def _faults(mapping: FeedMapping) -> Iterator[_Fault]:
    contracts = load_contracts()
    if mapping.feed not in contracts:
        yield (
            ("feed",),
            f"no feed '{mapping.feed}'{_near(mapping.feed, contracts)}. Feeds: {', '.join(contracts)}",
        )
        return
    contract = contracts[mapping.feed]
    if mapping.deleted and (mapping.delivery_mode or contract.delivery_mode) != "upsert":
        yield ("deleted",), "rows delete others only with `delivery_mode: upsert`"
    if mapping.name and not re.fullmatch(r"[a-z][a-z0-9_]*", mapping.name):
        yield ("name",), f"name '{mapping.name}' is not lower_snake"
    columns = {column.name: column for column in contract.columns}
    placed: list[tuple[tuple[str | int, ...], dict[str, str | How]]] = [(("columns",), mapping.columns)]
    placed += [(("layouts", n, "columns"), layout.columns) for n, layout in enumerate(mapping.layouts)]
    for where, entries in placed:
        for name, entry in entries.items():
            place = (*where, name)
            if name not in columns:
                allowed = ", ".join(columns)
                yield (
                    place,
                    f"feed {contract.feed} has no column '{name}'{_near(name, columns)}. Columns: {allowed}",
                )
                continue
            for message in _column_faults(mapping, contract, columns[name], as_how(entry)):
                yield place, f"column '{name}': {message}"
    patterns = {
        "unpivot": mapping.unpivot.pattern if mapping.unpivot else None,
        "checks": mapping.checks.trailer_pattern,
    }
    for place_name, pattern in patterns.items():
        if pattern and not _compiles(pattern):
            yield (place_name,), f"'{pattern}' is no regular expression"
    if mapping.unpivot and not {"variable", "part"} <= set(re.compile(mapping.unpivot.pattern).groupindex):
        yield ("unpivot", "pattern"), "the pattern needs the groups (?P<variable>…) and (?P<part>…)"


def _column_faults(mapping: FeedMapping, contract: FeedContract, column: Column, how: How) -> Iterator[str]:
    given = [how.constant is not None, how.from_file_name is not None, how.expression is not None]
    if sum(given) > 1 or not (any(given) or how.from_):
        yield "give one of from, constant, from_file_name, expression"
    if how.from_file_name is not None and not (
        _compiles(how.from_file_name) and re.compile(how.from_file_name).groups
    ):
        yield f"'{how.from_file_name}' is no regular expression with a group"
    if how.convert == "protected_number" and not any(c.name == "value_status" for c in contract.columns):
        yield f"feed {contract.feed} has no columns for protected numbers"
    if how.codes is None:
        return
    if isinstance(how.codes, str) and how.codes not in mapping.code_lists:
        lists = ", ".join(mapping.code_lists) or "none"
        yield f"no code list '{how.codes}'{_near(how.codes, mapping.code_lists)}. Code lists: {lists}"
        return
    if column.options is None:
        return
    codes = mapping.code_lists[how.codes] if isinstance(how.codes, str) else how.codes
    allowed = load_option_sets()[column.options]
    for code, option in codes.items():
        if option not in allowed:
            yield f"code '{code}' is mapped to '{option}'{_near(option, allowed)}. Options: {', '.join(allowed)}"


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


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


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
