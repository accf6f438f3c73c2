"""From identifiers as recorded to forms that can be compared, in DuckDB SQL.

What belongs here: folding, splitting, cleaning. What does not: any comparison of two records.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.duck import sql_literal
from warehouse.linkage.config import LinkageConfig
from warehouse.vault import IDENTIFIER_COLUMNS

_NICKNAMES = Path(__file__).with_name("nicknames.csv")
_PLACEHOLDERS = (
    "baby", "babyboy", "babygirl", "boy", "girl", "infant", "newborn", "child", "unknown", "unk", "unkn", "none",
    "null", "na", "test", "testing", "twin", "twina", "twinb", "twin1", "twin2", "tripleta", "tripletb",
    "xxx", "xx", "x", "nfn", "nln", "nmn", "fnu", "lnu", "mnu", "noname", "notgiven", "anonymous", "student",
    "deceased", "withheld", "declined", "notprovided", "notavailable", "tbd",
)  # fmt: skip
# What stands where nobody gave a name: kinship, age, role. A name made only of these and of _GLUE is none.
_KINDS = (
    "mother", "father", "mom", "dad", "mommy", "daddy", "parent", "guardian", "husband", "wife", "spouse", "partner",
    "daughter", "son", "brother", "sister", "sibling", "stepson", "stepdaughter", "grandson", "granddaughter",
    "grandchild", "grandmother", "grandma", "grandfather", "grandpa", "niece", "nephew", "uncle", "aunt", "cousin",
    "friend", "roommate", "housemate", "kid", "kids", "teen", "teenager", "toddler", "minor", "adult", "man", "woman",
    "lady", "gentleman", "gentlemen", "male", "female", "person", "people", "resident", "occupant", "owner", "tenant",
    "inmate", "patient", "client", "employee", "visitor", "guest", "mr", "mrs", "ms", "miss", "sir", "madam",
    "someone", "somebody", "nobody", "anybody", "anon", "refused", "sr", "household", *_PLACEHOLDERS,
)  # fmt: skip
_GLUE = (
    *"abcdefghi123456789", "of", "the", "in", "at", "and", "no", "not", "name", "given", "known", "dont", "do", "know",
    "young", "old", "older", "elderly", "elder", "house", "home", "head", "law", "foster", "step", "one", "two", "three",
)  # fmt: skip
# Real names of some people, fillers for others: they count where the other record has them too, and else say nothing.
_DOUBTFUL_FIRST = (
    "son",
    "man",
    "lady",
    "male",
    "female",
    "miss",
    "friend",
    "kid",
    "person",
    "minor",
    "sister",
)
_DOUBTFUL_LAST = (
    "doe", "anon", "child", "kid", "friend", "parent", "man", "woman", "boy", "girl", "lady", "person", "male",
    "female", "mother", "father", "son", "daughter", "brother", "sister", "husband", "wife", "house", "home", "one",
    "two", "nobody", "someone", "resident", "adult", "minor", "student", "gentleman", "gentlemen",
)  # fmt: skip
_PARTICLES = (
    "de", "la", "las", "los", "le", "del", "della", "der", "den", "van", "von", "da", "das", "dos", "do", "di", "du",
    "el", "al", "bin", "ibn", "bint", "abu", "mac", "mc", "st", "san", "santa", "y", "e", "ter", "ten", "zu",
)  # fmt: skip
_SUFFIXES = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "2", "2nd": "2", "iii": "3",
             "3rd": "3", "iv": "4", "4th": "4"}  # fmt: skip
_STREET_WORDS = {
    "street": "st", "str": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "boulevard": "blvd",
    "lane": "ln", "court": "ct", "place": "pl", "terrace": "ter", "circle": "cir", "highway": "hwy",
    "parkway": "pkwy", "square": "sq", "trail": "trl", "crescent": "cres", "close": "cl", "north": "n", "south": "s",
    "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
    "saint": "st", "mount": "mt", "fort": "ft",
}  # fmt: skip
# Words of a surname that tell no family.
NO_SURNAME = tuple(sorted({*_PARTICLES, *_PLACEHOLDERS, *_DOUBTFUL_LAST, *_SUFFIXES}))
_UNIT = r"\s+(apt|apartment|unit|suite|ste|rm|room|lot|trlr|bldg|fl|floor|#)\s*[#a-z0-9-]*\s*$"

# Letters that Unicode does not decompose into a base letter and a mark.
_MACROS = (
    """create or replace temp macro tl_fold(t) as
       strip_accents(lower(
         replace(replace(replace(replace(translate(lower(t), 'øłđðħıŀʼ’‘`´', 'olddhil'), 'ß', 'ss'),
         'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')))""",
    # Words of a name: apostrophes and dots vanish, every other non-letter separates.
    """create or replace temp macro tl_words(t) as
       list_filter(string_split(trim(regexp_replace(regexp_replace(tl_fold(t), '[''.]', '', 'g'),
         '[^\\p{L}0-9]+', ' ', 'g')), ' '), w -> w <> '')""",
    # Digits that a scanner or a finger put in the place of letters; words of digits only stay.
    """create or replace temp macro tl_unread(words) as
       list_transform(words, w -> case when regexp_matches(w, '[0-9]') and regexp_matches(w, '\\p{L}')
         then translate(w, '0123456789', 'olzeasgtbg') else w end)""",
    # Names of a file without names ('FirstName_01'): alike for everybody, so they may only agree as a whole.
    """create or replace temp macro tl_label(words) as
       [translate(left(md5(array_to_string(words, '')), 12), '0123456789abcdef', 'ghijklmnopqrstuv')]""",
    "create or replace temp macro tl_letters(t) as regexp_replace(tl_fold(t), '[^\\p{L}0-9]', '', 'g')",
    "create or replace temp macro tl_digits(t) as nullif(regexp_replace(coalesce(t, ''), '[^0-9]', '', 'g'), '')",
)


def load_identifiers(con: duckdb.DuckDBPyConnection, *, only_changed: bool = False) -> None:
    """Make temp table `raw_identifier`: the distinct contents per source person of the deliveries in force.

    Args:
        con: connection with the vault attached and temp table `chosen_delivery` (ids of the deliveries in force).
        only_changed: only the source persons in temp table `changed_node`.
    """
    columns = ", ".join(IDENTIFIER_COLUMNS)
    near = "and source_person_key in (select node from changed_node)" if only_changed else ""
    con.execute(
        f"""create or replace temp table raw_identifier as
        select source_person_key, min(issuer_id) as issuer_id, min(partner_id) as partner_id, {columns},
               max(delivery_seq) as delivery_seq, null::integer as birth_year
        from vault.identifier_record where delivery_id in (select delivery_id from chosen_delivery) {near}
        group by source_person_key, {columns}"""
    )


def standardise(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> None:
    """Make temp table `link_record` from `raw_identifier`.

    Grain: one row per source person (`node`) and distinct standardised content; `unique_id` follows from the
    content alone, so it is the same every night.
    """
    for macro in _MACROS:
        con.execute(macro)
    _nickname_table(con)
    for statement in (_words_sql(config), _names_sql(), _record_sql(config)):
        con.execute(statement)
    con.execute("drop table std_words")
    con.execute("drop table std_names")


def sql_list(values: Sequence[str]) -> str:
    """Texts as a list literal."""
    return "[" + ", ".join(sql_literal(value) for value in values) + "]"


def _nickname_table(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `nickname`: a name and the formal names it may stand for.

    English ones from PyPI `nicknames` (Apache-2.0); Spanish and other short forms and spellings from `nicknames.csv`.
    """
    formal = import_module("nicknames").NickNamer.default_lookup()
    pairs = pa.table(
        {"formal": pa.array(list(formal), pa.string()), "names": [sorted(names) for names in formal.values()]}
    )
    con.register("nickname_pairs", pairs)
    con.execute(
        f"""create or replace temp table nickname as
        with pair as (
            select formal, unnest(names) as name from nickname_pairs
            union all
            select formal, unnest(string_split(short, '|')) from read_csv({sql_literal(str(_NICKNAMES))}, header = true)
        )
        select tl_letters(name) as name, list_sort(list(distinct tl_letters(formal))) as canonicals from pair group by 1"""
    )
    con.unregister("nickname_pairs")


def _words_sql(config: LinkageConfig) -> str:
    """Words of names without suffixes and placeholders."""
    placeholders = {*_PLACEHOLDERS, *config.placeholder_names}
    suffixes = sql_list(sorted(_SUFFIXES))

    def words(column: str) -> str:
        surnames = {*_DOUBTFUL_LAST, "na"} if "last_name" in column else set()
        blank = sql_list(sorted(placeholders - surnames))
        kept = f"list_filter(tl_words({column}), w -> not list_contains({suffixes}, w))"
        whole = f"array_to_string({kept}, '')"
        named = f"list_filter({kept}, w -> not list_contains({blank}, w))"
        numbered = " and ".join(
            f"regexp_matches({name}, '[0-9]\\s*$')" for name in ("first_name", "last_name", column)
        )
        cleaned = f"case when {numbered} then tl_label({named}) else tl_unread({named}) end"
        # 'NaN' is what some tools write for nothing; 'Nan' and 'NAN' are a name.
        none = f"{column} in ('nan', 'NaN') or list_contains({blank}, {whole}) or ({_is_kind(kept, column)})"
        return f"case when {none} then [] else {cleaned} end"

    suffix_map = "map {" + ", ".join(f"'{k}': '{v}'" for k, v in _SUFFIXES.items()) + "}"
    suffix_words = (
        "list_concat(coalesce(tl_words(name_suffix), []), list_concat(coalesce(tl_words(last_name), []), "
        "coalesce(tl_words(first_name), [])))"
    )
    dates = ", ".join(f"date {sql_literal(day)}" for day in config.placeholder_birth_dates)
    return f"""create or replace temp table std_words as
        select source_person_key as node, issuer_id as source, partner_id, delivery_seq,
            coalesce({words("first_name")}, []) as first_words,
            coalesce({words("preferred_name")}, []) as preferred_words,
            coalesce({words("middle_name")}, []) as middle_words,
            coalesce({words("last_name")}, []) as last_words,
            {suffix_map}[list_filter({suffix_words}, w -> list_contains({suffixes}, w))[1]] as suffix,
            case when birth_date in ({dates or "null"}) then null else birth_date end as dob,
            birth_year as year_given,
            case when tl_letters(sex) in ('m', 'male', 'boy', 'man') then 'm'
                 when tl_letters(sex) in ('f', 'female', 'girl', 'woman') then 'f' end as sex,
            {street_sql("street_address")} as street,
            nullif(tl_letters(city), '') as city, nullif(tl_letters(state_code), '') as state_code,
            nullif(left(upper(regexp_replace(postal_code, '[^A-Za-z0-9]', '', 'g')), 5), '') as zip,
            case when length(tl_digits(phone)) >= 7 then right(tl_digits(phone), 10) end as phone,
            nullif(trim(lower(email)), '') as email,
            nullif(array_to_string({words("guardian_first_name")}, ''), '') as guardian_first,
            nullif(array_to_string({words("guardian_last_name")}, ''), '') as guardian_last,
            {_identity("state_student_id")} as state_id, {_authority(config)} as state_authority,
            {_identity("social_security_number")} as ssn
        from raw_identifier"""


def _is_kind(words: str, column: str) -> str:
    """Whether a name only says what kind of person it is; single words that may be names are left to comparison."""
    kinds, glue = sql_list(sorted(set(_KINDS))), sql_list(sorted({*_KINDS, *_GLUE}))
    only = f"len(list_filter({words}, w -> not list_contains({glue}, w))) = 0"
    if column == "last_name":
        return f"len({words}) > 1 and {only}"
    spared = f"(len({words}) = 1 and list_contains({sql_list(_DOUBTFUL_FIRST)}, {words}[1]))"
    return f"list_has_any({words}, {kinds}) and {only} and not {spared}"


def unit_sql(column: str) -> str:
    """Number of a flat or lot at the end of a street address, empty where none is given."""
    return f"regexp_replace(regexp_extract(tl_fold({column}), {sql_literal(_UNIT)}), '[^a-z0-9]', '', 'g')"


def street_sql(column: str) -> str:
    """A street address without its unit, in abbreviated words."""
    cases = " ".join(f"when '{word}' then '{short}'" for word, short in _STREET_WORDS.items())
    folded = f"regexp_replace(regexp_replace(tl_fold({column}), '[.,]', ' ', 'g'), {sql_literal(_UNIT)}, '')"
    text = f"trim(regexp_replace({folded}, '[^\\p{{L}}0-9]+', ' ', 'g'))"
    short = f"list_transform(string_split({text}, ' '), w -> case w {cases} else w end)"
    return f"nullif(array_to_string({short}, ' '), '')"


def _identity(column: str) -> str:
    """An id without separators; null for obvious fillers such as all the same digit."""
    bare = f"upper(regexp_replace({column}, '[^A-Za-z0-9]', '', 'g'))"
    return (
        f"case when length({bare}) >= 4 and length(replace({bare}, left({bare}, 1), '')) > 0 "
        f"and {bare} not in ('123456789', '12345678', '1234567890', '987654321') then ltrim({bare}, '0') end"
    )


def _authority(config: LinkageConfig) -> str:
    cases = " ".join(
        f"when partner_id = {sql_literal(partner)} then {sql_literal(authority)}"
        for partner, authority in sorted(config.state_id_authority.items())
    )
    return f"case {cases} else 'state' end" if cases else "'state'"


def _names_sql() -> str:
    """Whole and split forms of names."""
    particles = sql_list(_PARTICLES)
    return f"""create or replace temp table std_names as
        select *, nullif(array_to_string(first_words, ''), '') as first_flat,
            nullif(array_to_string(last_words, ''), '') as last_flat,
            list_sort(list_distinct(list_filter(last_words,
                w -> length(w) >= 2 and not list_contains({particles}, w)))) as last_tokens,
            nullif(array_to_string(middle_words, ''), '') as middle_flat,
            list_distinct(list_concat(list_filter([array_to_string(first_words, ''),
                array_to_string(preferred_words, '')], w -> w <> ''), list_filter(
                list_concat(first_words, preferred_words), w -> length(w) >= 2))) as first_forms
        from std_words"""


def _record_sql(config: LinkageConfig) -> str:
    """Final table: nickname sets, one row a distinct content, ids that follow from content."""
    free = sql_list(sorted(config.duplicate_free))
    content = (
        "first_flat, first_forms, middle_flat, last_flat, last_tokens, suffix, dob, year_given, sex, street, city, state_code, "
        "zip, phone, email, guardian_first, guardian_last, state_id, state_authority, ssn"
    )
    return f"""create or replace temp table link_record as
        with forms as (
            select first_forms, list_sort(list_distinct(list_concat(first_forms,
                coalesce(flatten(list(n.canonicals)), [])))) as first_set
            from (select distinct first_forms from std_names) as d
            left join lateral (select unnest(d.first_forms) as form) as f on true
            left join nickname as n on n.name = f.form
            group by first_forms
        ),
        distinct_content as (
            select node, min(source) as source, min(partner_id) as partner_id, {content},
                max(delivery_seq) as delivery_seq
            from (
                -- A row whose birth date could not be read must not link by its names alone past the date that others have.
                select * replace (coalesce(dob, max(dob) over (partition by node)) as dob) from std_names
            ) group by node, {content}
        )
        select node || '-' || left(md5(concat_ws('|', {_texts(content)})), 12) as unique_id,
            node, source, partner_id,
            list_contains({free}, source) or list_contains({free}, partner_id) as duplicate_free,
            first_flat, middle_flat, left(middle_flat, 1) as middle_initial, last_flat, suffix, dob,
            coalesce(length(first_flat) = 1 or list_contains({sql_list(_DOUBTFUL_FIRST)}, first_flat), true) as first_weak,
            coalesce(length(last_flat) = 1 or list_contains({sql_list(_DOUBTFUL_LAST)}, last_flat), true) as last_weak,
            coalesce(year(dob)::integer, year_given) as birth_year, strftime(dob, '%Y%m%d') as dob_text,
            (dob - date '1900-01-01') as dob_day, sex, street,
            nullif(regexp_extract(street, '^[0-9]+'), '') as house,
            nullif(regexp_replace(street, '^[0-9]+ ?', ''), '') as road, city, state_code, zip, phone, email,
            guardian_first, guardian_last, guardian_first || ' ' || guardian_last as guardian,
            state_id, state_authority, ssn, coalesce(f.first_set, []) as first_set, last_tokens, delivery_seq
        from distinct_content as c left join forms as f using (first_forms)
        qualify row_number() over (partition by unique_id order by delivery_seq desc) = 1"""


def _texts(columns: str) -> str:
    return ", ".join(f"coalesce({name.strip()}::text, '~')" for name in columns.split(","))
