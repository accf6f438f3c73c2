"""StudentTracker detail returns of several editions fill enrollments and awards."""

from __future__ import annotations

import pytest

from tests.ingestion.conftest import Town

_CURRENT = (
    "Your Unique Identifier,First Name,Middle Initial,Last Name,Name Suffix,Requester Return Field,Record Found Y/N,Search Date,"
    "College Code/Branch,College Name,College State,2-year / 4-year,Public / Private,Enrollment Begin,Enrollment End,"
    "Enrollment Status,Class Level,Enrollment Major 1,Graduated?,Graduation Date,Degree Title,Degree Major 1,College Sequence\n"
)
_OLDER = (
    "Your Unique Identifier,First Name,Middle Initial,Last Name,Record Found Y/N,High School Code,High School Grad Date,"
    "College Code/Branch,College Name,2-year/4-year,Public/Private,Enrollment Begin,Enrollment End,Enrollment Status,"
    "Graduated?,Graduation Date,Degree Title\n"
)
_EDITIONS = {
    "current": _CURRENT
    + "1_,ADA,,EX,,north_,Y,20240901,001234-00,STATE U,OH,4,Public,20230821,20231215,F,,,N,,,,1\n"
    + "1_,ADA,,EX,,north_,Y,20240901,001234-00,STATE U,OH,4,Public,,,,,,Y,20240512,BACHELOR OF SCIENCE,,1\n"
    + "2_,BEN,,EX,,,N,20240901,,,,,,,,,,,,,,,\n",
    "older": _OLDER
    + "1_,ADA,,EX,Y,360000,06/01/2020,001234-00,STATE U,4,Public,08/21/2023,12/15/2023,F,N,,\n"
    + "1_,ADA,,EX,Y,360000,06/01/2020,001234-00,STATE U,4,Public,,,,Y,05/12/2024,B.S.\n"
    + "2_,BEN,,EX,N,360000,06/01/2020,,,,,,,,,,\n",
}


@pytest.mark.parametrize("edition", _EDITIONS)
def test_each_edition_gives_the_same_facts(town: Town, edition: str) -> None:
    """If not, a college-going rate changes because a return has other columns."""
    for feed in ("postsecondary_enrollment", "postsecondary_award"):
        town.mapping(f"standard: student_tracker/{feed}\n", name=feed)
    town.drop("se_detail_return.csv", _EDITIONS[edition])
    told = {outcome.feed_id: outcome for outcome in town.receive()}
    assert {feed: o.judgement.quarantined for feed, o in told.items()} == {
        "postsecondary_enrollment": 0,
        "postsecondary_award": 0,
    }
    assert not [f for o in told.values() for f in o.findings if f.code in ("missing_column", "extra_column")]
    # A student not found is a row; one whose record does not say whose id it is goes by the partner's.
    issuer = "north" if edition == "current" else "district"
    assert town.rows(
        "select issuer_id, record_found, institution_level, institution_control, begin_date::varchar, enrollment_intensity "
        "from lake.postsecondary_enrollment order by record_found desc"
    ) == [
        (issuer, "Yes", "FourYear", "Public", "2023-08-21", "FullTime"),
        ("district", "No", "Unknown", "Unknown", None, "Unknown"),
    ]
    assert town.rows("select award_level, award_date::varchar from lake.postsecondary_award") == [
        ("Bachelor", "2024-05-12")
    ]


_LEVELS = {
    "ASSOCIATE OF APPLIED SCIENCE": "Associate",
    "A.A.S.": "Associate",
    "BACHELOR OF ARTS": "Bachelor",
    "BS": "Bachelor",
    "MASTER OF EDUCATION": "Graduate",
    "POST-BACCALAUREATE CERTIFICATE": "Graduate",
    "JURIS DOCTOR": "Graduate",
    "CERTIFICATE - LESS THAN ONE YEAR": "CertificateLessThanOneYear",
    "TWO YEAR CERT": "Unknown",
    "CERT 1 YEAR PROGRAM": "CertificateOneYearOrMore",
    "DIPLOMA": "Unknown",
}


def test_the_level_of_a_degree_follows_from_its_title(town: Town) -> None:
    """If not, completions are counted under the wrong level, or guessed."""
    town.mapping("standard: student_tracker/postsecondary_award\n")
    rows = (
        f"1_,A,,E,,,Y,20240901,001234-00,STATE U,OH,4,Public,,,,,,Y,20240512,{title},,1\n"
        for title in _LEVELS
    )
    town.take("x_detail_return.csv", _CURRENT + "".join(rows))
    assert dict(town.rows("select award_title, award_level from lake.postsecondary_award")) == _LEVELS
