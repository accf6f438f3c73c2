"""`link evaluate` takes truth, dates, names and ids as people write them, and measures them all alike."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.warehouse.linkage.children import sources
from warehouse import duck
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.evaluation import (
    Evaluation,
    EvaluationInputError,
    evaluate,
    guess_mapping,
    read_mapping,
)
from warehouse.linkage.evaluation.dates import birth_date_sql

QUICK = LinkageConfig(probabilistic=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of 300 children each with ids that overlap and have zeros in front, and the truth in many layouts."""
    root = tmp_path_factory.mktemp("evaluation")
    table, _ = sources(400, seed=4)
    con = duckdb.connect()
    con.register("records", table)
    con.execute(
        """create table r as select lpad((row_number() over (partition by partner_id order by source_person_key))::text, 6, '0') as record_id, * from records"""
    )
    for side in (0, 1):
        day = "%m/%d/%Y" if side else "%Y%m%d"
        con.execute(
            f"""copy (select record_id, first_name as "First Name", last_name as "Surname", strftime(birth_date, '{day}') as dob,
                sex as gender, street_address as address, postal_code as zip, person as true_person
            from r where partner_id = 'source_{side}') to '{root}/file{side}.csv' (header)"""
        )
    pairs = "select a.record_id as a, b.record_id as b from r as a join r as b using (person) where a.partner_id = 'source_0' and b.partner_id = 'source_1'"
    layouts = {
        "pairs": pairs,
        "reversed": f"select 'x' as note, b as right_one, a as left_one from ({pairs})",
        "labelled": f"select a, b, 1 as is_match from ({pairs}) union all select a, lpad((b::int % 250 + 1)::text, 6, '0'), 0 from ({pairs})",
        "numbers": f"select a::integer as a, b::integer as b from ({pairs})",
        "clusters": "select case partner_id when 'source_0' then 'file0' else 'file1' end as dataset, record_id, 'p' || person as who from r",
    }
    for name, query in layouts.items():
        con.execute(f"copy ({query}) to '{root}/{name}.csv' (header)")
    con.execute(f"copy ({pairs}) to '{root}/bare.csv' (header false, delimiter ';')")
    return root


def _measure(folder: Path, truth: str | None, config: LinkageConfig = QUICK) -> Evaluation:
    mapping = folder / "map.yml"
    mapping.write_text(
        "record_id: id\n" if truth else "record_id: id\ntrue_person: true_person\n", encoding="utf-8"
    )
    with mapping.open("a", encoding="utf-8") as out:
        out.write(
            "First Name: first_name\nSurname: last_name\ndob: birth_date\naddress: street_address\nzip: postal_code\n"
        )
    file = folder / f"{truth}.csv" if truth else None
    return evaluate(folder / "file0.csv", folder / "file1.csv", read_mapping(mapping), file, config)


@pytest.mark.parametrize("layout", ["pairs", "reversed", "numbers", "clusters", "bare", None])
def test_every_layout_of_the_truth_is_the_same_truth(folder: Path, layout: str | None) -> None:
    """If not, a figure tells of the layout, not of the linkage."""
    wanted, found = _measure(folder, "pairs"), _measure(folder, layout)
    assert wanted.true_pairs > 150 and wanted.precision == 1.0 and wanted.recall > 0.3
    assert (found.true_pairs, found.found_pairs, found.correct_pairs, found.unknown_ids) == (
        wanted.true_pairs, wanted.found_pairs, wanted.correct_pairs, 0,
    )  # fmt: skip


def test_pairs_labelled_as_no_match_are_none(folder: Path) -> None:
    """If they counted, a truth with negative examples would turn everything into one person."""
    assert _measure(folder, "labelled").true_pairs == _measure(folder, "pairs").true_pairs


def test_the_header_alone_is_enough(folder: Path) -> None:
    """If not, every trial needs a mapping first."""
    assert evaluate(folder / "file0.csv", folder / "file1.csv", None, None, QUICK).correct_pairs > 50


def test_strangers_in_the_truth_are_counted(folder: Path) -> None:
    """If not, a recall over half of the truth passes for the whole."""
    text = (folder / "pairs.csv").read_text() + "no-such-id,no-such-either\n"
    (folder / "strange.csv").write_text(text)
    assert _measure(folder, "strange").unknown_ids == 2
    (folder / "wrong.csv").write_text("a,b\nx,y\n")
    with pytest.raises(EvaluationInputError, match="ids"):
        _measure(folder, "wrong")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2011-05-06", "2011-05-06"), ("05/26/2011", "2011-05-26"), ("26.05.2011", "2011-05-26"), ("05262011", "2011-05-26"),
        ("5262011", "2011-05-26"), ("20110526", "2011-05-26"), ("2011-05-26T00:00:00", "2011-05-26"), ("26-May-2011", "2011-05-26"),
        ("May 26, 2011", "2011-05-26"), ("05/26/11", "2011-05-26"), ("05/26/94", "1994-05-26"), ("05/26/50", "1950-05-26"),
        ("20110526.0", "2011-05-26"), ("unknown", None), ("0211-05-26", None), ("", None),
    ],
)  # fmt: skip
def test_a_birth_date_is_read_however_it_is_written(text: str, date: str | None) -> None:
    """If not, a file links by names alone and nobody is told."""
    con = duck.connect()
    con.execute("create temp table given as select $t as v", {"t": text})
    got = con.execute(f"select ({birth_date_sql(con, 'given', 'v', None)})::text from given").fetchone()
    assert got == (date,)


def test_files_of_other_encodings_and_broken_lines_are_read(tmp_path: Path) -> None:
    """If not, a voter file with one stray quote cannot be measured."""
    left, right = tmp_path / "l.txt", tmp_path / "r.csv"
    left.write_bytes(
        'id\tname\tdob\n07\tMuñoz, José Luis\t1990-02-03\n08\tO"Neil, Ann\t1991-02-03\n'.encode("cp1252")
    )
    right.write_text("id,first,last,dob,zip,extra\n7,Jose,Munoz,02/03/1990,1,\n8,Ann\n", encoding="utf-8")
    truth = tmp_path / "t.csv"
    truth.write_text("07,7\n08,8\n")
    result = evaluate(left, right, None, truth, LinkageConfig())
    assert (result.records, result.true_pairs, result.false_by_kind) == (4, 2, {})
    assert result.correct_pairs >= 1


def test_a_mapping_may_name_either_side_first(tmp_path: Path) -> None:
    """If not, half of all mappings fail at first."""
    file = tmp_path / "m.yml"
    file.write_text(
        "id: ncid\nlast_name: LAST\nstreet_address: [no, street]\nright: {dob: DATE}\none_to_one: {left: true}\n"
    )
    mapping = read_mapping(file)
    assert mapping.of("left") == {
        "ncid": "id",
        "LAST": "last_name",
        "no": "street_address",
        "street": "street_address",
    }
    assert (
        mapping.of("right")["DATE"] == "birth_date" and mapping.once("left") and mapping.once("right") is None
    )
    assert guess_mapping(["RecID", "Given Name", "fname"]) == {"RecID": "id", "Given Name": "first_name"}
    file.write_text("RACE: race\n")
    with pytest.raises(EvaluationInputError, match="no identifier"):
        read_mapping(file)
