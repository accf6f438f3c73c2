"""Which column of a file under evaluation holds which identifier.

What belongs here: the mapping file, the names it may use, and a guess by the header. What does not: reading rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from warehouse.vault import IDENTIFIER_COLUMNS

Side = Literal["left", "right"]

# What else a file or a mapping may call an identifier; written without spaces, underscores and capitals.
_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("recordid", "recid", "uniqueid", "rowid", "sourceid", "sourceidentifier", "localpersonid", "studentid",
           "studentnumber", "voterid", "voterregnum", "registrationnumber", "memberid", "patientid", "rid", "uid"),
    "true_person": ("person", "personid", "truepersonid", "trueperson", "entity", "entityid", "cluster", "clusterid",
                    "simulantid", "groundtruth", "trueid", "ncid", "truth"),
    "first_name": ("givenname", "firstname", "forename", "fname", "first", "given", "firstnm", "namefirst"),
    "middle_name": ("middlename", "middleinitial", "mname", "middle", "mi", "midlname", "midname", "namemiddle"),
    "last_name": ("surname", "lastname", "familyname", "lname", "last", "lastnm", "namelast", "secondname"),
    "name_suffix": ("suffix", "namesuffix", "namesufxcd", "generationcode", "namesufx"),
    "preferred_name": ("nickname", "preferredfirstname", "preferredname", "alias", "knownas"),
    "full_name": ("name", "fullname", "personname", "studentname"),
    "birth_date": ("dob", "dateofbirth", "birthdate", "birthdt", "bdate", "birthday"),
    "birth_year": ("yearofbirth", "yob", "birthyear", "byear", "by"),
    "birth_month": ("monthofbirth", "birthmonth", "bmonth", "bm"),
    "birth_day": ("dayofbirth", "birthdayofmonth", "dobday", "bday", "bd"),
    "sex": ("gender", "gendercode", "sexcode"),
    "street_address": ("address", "address1", "street", "streetaddress", "streetnumber", "streetname", "addressline1",
                       "resstreetaddress", "residentialaddress1", "housenumber", "mailaddr1", "postaladdress", "addr",
                       "address2", "unitnumber", "addressline2", "unit", "apartment", "housenum", "streettypecd",
                       "streetdir", "streetsufxcd", "halfcode", "unitnum"),
    "city": ("suburb", "town", "rescitydesc", "locality", "municipality", "cityname"),
    "state_code": ("state", "statecd", "province", "stateabbreviation", "stateusps"),
    "postal_code": ("zip", "zipcode", "zip5", "postcode", "postalcode", "zipcd"),
    "phone": ("phonenumber", "telephone", "tel", "mobile", "fullphonenumber", "phonenum", "homephone", "cell"),
    "email": ("emailaddress", "mail"),
    "guardian_first_name": ("parentfirstname", "mothersfirstname", "guardianfirstname"),
    "guardian_last_name": ("parentlastname", "motherslastname", "guardianlastname", "mothersmaidenname"),
    "state_student_id": ("statestudentid", "stateid", "ssid", "sasid", "stateuniqueid"),
    "social_security_number": ("ssn", "socsecid", "socialsecurity", "socialsecuritynumber"),
}  # fmt: skip
CANONICAL = (*_ALIASES, *(name for name in IDENTIFIER_COLUMNS if name not in {*_ALIASES, "local_person_id"}))


class EvaluationInputError(ValueError):
    """A file, the mapping or the truth does not fit; the message says which and what is expected."""


class EvaluationMapping(BaseModel):
    """Mapping file: source column to canonical identifier (several columns of one are joined in their order)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, str] = Field(
        default_factory=dict, description="Source column -> identifier column of the vault, or 'id'."
    )
    left: dict[str, str] = Field(
        default_factory=dict, description="As columns, where the first file alone has the column so."
    )
    right: dict[str, str] = Field(default_factory=dict, description="The same of the second file.")
    date_format: str | None = Field(
        None, description="strptime format of the birth date; found out if absent."
    )
    one_to_one: bool | dict[Side, bool] | None = Field(
        None, description="Whether files hold a person once (one answer, or one a side); found out if absent."
    )

    def of(self, side: Side) -> dict[str, str]:
        """Columns of one file: what is said of it alone stands above what is said of both."""
        return {**self.columns, **(self.left if side == "left" else self.right)}

    def once(self, side: Side) -> bool | None:
        """Whether a file holds a person once; None where the mapping does not say."""
        return self.one_to_one.get(side) if isinstance(self.one_to_one, dict) else self.one_to_one


def read_mapping(path: Path) -> EvaluationMapping:
    """Read a mapping file; `columns:` may be left out, and either side may come first.

    Raises:
        EvaluationInputError: not YAML, or a canonical name that does not exist.
    """
    try:
        data = dict(YAML(typ="safe").load(path.read_text(encoding="utf-8-sig")) or {})
        options = {name: data.pop(name) for name in ("date_format", "one_to_one") if name in data}
        sides = {
            name: _column_first(data.pop(name))
            for name in ("left", "right")
            if isinstance(data.get(name), dict)
        }
        columns = data.get("columns", data)
        return EvaluationMapping(columns=_column_first(columns or {}), **sides, **options)
    except (OSError, YAMLError, UnicodeDecodeError, TypeError, ValueError) as error:
        if isinstance(error, EvaluationInputError):
            raise
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else type(error).__name__
        raise EvaluationInputError(f"{path}: not a mapping of columns to identifiers ({said}).") from None


def canonical_name(name: object) -> str | None:
    """The identifier that a name means, by itself or as an alias; None for any other."""
    bare = re.sub(r"[^a-z0-9]", "", str(name).lower())
    for canonical in CANONICAL:
        if bare == canonical.replace("_", "") or bare in _ALIASES.get(canonical, ()):
            return canonical
    return None


def guess_mapping(header: Iterable[str]) -> dict[str, str]:
    """Columns whose names say what they hold; columns of one address are joined, of all others the first is taken."""
    found: dict[str, str] = {}
    for column in header:
        name = canonical_name(column)
        if name and (name == "street_address" or name not in found.values()):
            found[column] = name
    return found


def _column_first(data: Mapping[Any, Any]) -> dict[str, str]:
    """Turn `identifier: column` and `identifier: [columns]` entries into `column: identifier`."""
    found: dict[str, str] = {}
    for key, value in dict(data).items():
        if (
            isinstance(value, str)
            and (value in CANONICAL or str(key) not in CANONICAL)
            and canonical_name(value)
        ):
            found[str(key)] = str(canonical_name(value))
        elif canonical_name(key) and isinstance(value, (str, list, tuple)):
            columns = [value] if isinstance(value, str) else value
            found |= {str(column): str(canonical_name(key)) for column in columns}
        elif value is not None:
            raise EvaluationInputError(
                f"The mapping sends '{key}' to '{value}', which is no identifier. Known: {', '.join(sorted(CANONICAL))}."
            )
    return found
