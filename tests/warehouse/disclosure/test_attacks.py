"""Each known attack on published tables is found by the attacker, and none works on what was protected."""

from __future__ import annotations

from typing import Any

import pytest

SCHOOL_RACE = {"tables": [{"dimensions": ["school", "race"], "counts": ["n"]}]}


def _spans(audit: Any) -> dict[str, tuple[float, float]]:
    return {f.range.name: (f.range.low, f.range.high) for f in audit.findings}


def test_total_less_what_is_shown(audit: Any) -> None:
    """If not found, one subtraction gives a small group away."""
    found = audit(
        {"t.csv": "race,n\nall,100\na,\nb,30\nc,66"}, {"tables": [{"dimensions": ["race"], "counts": ["n"]}]}
    )
    assert _spans(found) == {"race=a, n": (4, 4)}
    assert found.unsafe and "race=all, n" in found.unsafe[0].chain and "race=c, n" in found.unsafe[0].chain


def test_next_smallest_falls_to_a_second_dimension(audit: Any) -> None:
    """If not found, the rule of many states passes for safe: totals by race recover the three exactly."""
    table = """school,race,n
        A,AI,
        A,B,
        A,W,75
        B,AI,20
        B,B,40
        B,W,90
        A,all,100
        B,all,150
        all,AI,23
        all,B,62
        all,W,165
        all,all,250"""
    found = _spans(audit({"t.csv": table}, SCHOOL_RACE))
    assert found["race=AI, school=A, n"] == (3, 3)


def test_two_in_every_row_and_column_still_fail(audit: Any) -> None:
    """If not found, counting blanks in rows and columns passes for a proof."""
    table = """school,race,n
        a,p,
        a,q,
        a,r,5
        b,p,
        b,q,
        b,r,
        c,p,9
        c,q,8
        c,r,
        d,p,11
        d,q,12
        d,r,
        a,all,25
        b,all,40
        c,all,30
        d,all,50
        all,p,40
        all,q,42
        all,r,63
        all,all,145"""
    found = _spans(audit({"t.csv": table}, SCHOOL_RACE))
    assert found["race=r, school=b, n"] == (18, 18)


def test_two_linked_tables_each_safe_alone(audit: Any) -> None:
    """If not found, a cell hidden in two tables is had from both together: 30 - 20 - 7 = 3."""
    about = {
        "dimensions": {
            "region": {
                "sums": {
                    "all": [["c1", "c2"], ["small", "large"]],
                    "c2": ["k", "m"],
                    "small": ["c1", "n", "k"],
                }
            }
        },
        "tables": [{"dimensions": ["region"], "counts": ["n"]}],
    }
    tables = {
        "county.csv": "region,n\nall,90\nc1,20\nc2,70\nk,\nm,",
        "size.csv": "region,n\nsmall,30\nlarge,60\nn,7",
    }
    assert _spans(audit(tables, about))["region=k, n"] == (3, 3)


def test_rate_times_denominator(audit: Any) -> None:
    """If not found, a hidden numerator is read from the percentage beside it."""
    about = {
        "tables": [
            {"dimensions": ["race"], "counts": ["n", "met"], "numerators": {"met": "n"},
             "rates": {"rate": {"numerator": "met", "denominator": "n", "decimals": 0}}}
        ]
    }  # fmt: skip
    found = _spans(audit({"t.csv": "race,n,met,rate\na,40,,5"}, about))
    assert found == {"race=a, met": (2, 2)}


def test_complement_of_the_numerator(audit: Any) -> None:
    """If not found, whoever did not meet it is counted by subtraction over groups."""
    about = {"tables": [{"dimensions": ["race"], "counts": ["n", "met"], "numerators": {"met": "n"}}]}
    found = _spans(audit({"t.csv": "race,n,met\nall,60,58\na,40,\nb,20,"}, about))
    assert found["race=a, met"] == (38, 40)
    assert found["race=b, met"] == (18, 20)


def test_difference_to_an_earlier_release(audit: Any, protect: Any) -> None:
    """If not found, what is hidden today is read in last year's file."""
    about = {
        "tables": [
            {"file": "before.csv", "dimensions": ["race"], "counts": ["n"], "earlier": True},
            {"dimensions": ["race"], "counts": ["n"]},
        ]
    }
    tables = {"now.csv": "race,n\nall,100\na,\nb,\nc,66", "before.csv": "race,n\nall,100\nb,30"}
    assert _spans(audit(tables, about))["race=a, n"] == (4, 4)
    tables = {"now.csv": "race,n\nall,134\na,4\nb,30\nc,40\nd,60", "before.csv": "race,n\nb,30\nd,60"}
    result = protect(tables, about)
    assert not result.audit.unsafe
    assert {f.range.name for f in result.audit.findings} == {"race=a, n", "race=c, n"}


def test_one_person_entered_since_the_earlier_release(audit: Any) -> None:
    """If not found, a restated table tells of the child that came."""
    about = {
        "tables": [
            {"file": "before.csv", "dimensions": ["race"], "counts": ["n"], "earlier": True, "changed_by": 1},
            {"dimensions": ["race"], "counts": ["n"]},
        ]
    }
    tables = {"now.csv": "race,n\nall,100\na,\nb,\nc,66", "before.csv": "race,n\nall,99\nb,30\na,3\nc,66"}
    low, high = _spans(audit(tables, about))["race=a, n"]
    assert (low, high) == (3, 4)


def test_a_restated_release_is_allowed_for(protect: Any) -> None:
    """If not, the doubt that is counted on was taken away by last year's file."""
    about = {
        "tables": [
            {"file": "before.csv", "dimensions": ["race"], "counts": ["n"], "earlier": True, "changed_by": 1},
            {"dimensions": ["race"], "counts": ["n"]},
        ]
    }
    tables = {
        "before.csv": "race,n\na,\nb,30\nc,39",
        "now.csv": "race,n\nall,134\na,4\nb,30\nc,40\nd,60",
    }
    result = protect(tables, about)
    assert "race=d, n" in {f.range.name for f in result.audit.findings}
    assert not result.audit.unsafe


def test_tables_that_contradict_each_other_are_refused(audit: Any) -> None:
    """If not, ranges of a system without any solution are taken for doubt."""
    about = {"tables": [{"dimensions": ["race"], "counts": ["n"]}]}
    with pytest.raises(ValueError, match="contradict"):
        audit({"t.csv": "race,n\nall,10\na,\nb,20"}, about)


def test_no_nobody_and_everybody(protect: Any) -> None:
    """If not withheld, 0 % or 100 % tells the outcome of every member of a group."""
    about = {"tables": [{"dimensions": ["race"], "counts": ["n", "met"], "numerators": {"met": "n"}}]}
    table = "race,n,met\nall,160,90\na,40,40\nb,20,0\nc,50,25\nd,50,25"
    result = protect({"t.csv": table}, about)
    hidden = {f.range.name for f in result.audit.findings}
    assert {"race=a, met", "race=b, met"} <= hidden
    assert not result.audit.unsafe


def test_counts_that_the_public_knows(protect: Any) -> None:
    """If not considered, school membership from the federal files solves what is left."""
    about = {
        "tables": [
            {
                "dimensions": ["race"],
                "counts": ["n", "met"],
                "numerators": {"met": "n"},
                "public": ["n"],
                "hide": "cell",
            }
        ]
    }
    table = "race,n,met\nall,140,70\na,40,39\nb,50,20\nc,50,11"
    result = protect({"t.csv": table}, about)
    assert not result.audit.unsafe
    assert all(f.range.name.endswith("met") for f in result.audit.findings)


def test_zeros_do_not_hide_anybody(protect: Any, audit: Any) -> None:
    """If not, blanks over empty groups are taken for protection, and the small group is the difference."""
    result = protect(
        {"t.csv": "race,n\nall,104\na,4\nb,0\nc,50\nd,50"},
        {"tables": [{"dimensions": ["race"], "counts": ["n"]}]},
    )
    assert not result.audit.unsafe
    assert {"race=a, n"} < {f.range.name for f in result.audit.findings}
    spans = _spans(result.audit)
    assert spans["race=a, n"][1] >= 10


def test_narrow_is_as_bad_as_exact(protect: Any) -> None:
    """If not, a group of four is known to be three to five."""
    about = {"tables": [{"dimensions": ["race"], "counts": ["n"]}]}
    result = protect({"t.csv": "race,n\nall,47\na,4\nb,3\nc,40"}, about)
    assert _spans(result.audit)["race=a, n"][1] >= 10
    assert not result.audit.unsafe
    assert protect({"t.csv": "race,n\nall,47\na,4\nb,3\nc,40"}, about, complementary=False).audit.unsafe


def test_a_single_person_does_not_learn_of_the_other(protect: Any) -> None:
    """If not, the only member of a companion subtracts himself and knows the rest."""
    from warehouse.disclosure.policy import DisclosurePolicy

    about = {"tables": [{"dimensions": ["race"], "counts": ["n"]}]}
    policy = DisclosurePolicy(minimum_n=2, lower=1, upper=1, hide_below_threshold=False)  # type: ignore[call-arg]
    result = protect({"t.csv": "race,n\nall,52\na,1\nb,1\nc,20\nd,30"}, about, policy)
    assert len(result.audit.findings) >= 3


def test_overlapping_groups(protect: Any) -> None:
    """If not, a group that overlaps others is recovered from what they leave."""
    about = {
        "dimensions": {"race": {"additive": False}},
        "tables": [{"dimensions": ["race"], "counts": ["n"]}],
    }
    result = protect({"t.csv": "race,n\nall,100\na,60\nb,50\nc,4"}, about)
    assert not result.audit.unsafe


def test_a_group_and_all_but_it(audit: Any) -> None:
    """If not found, all students less students without a plan are the students with one."""
    about = {
        "dimensions": {"plan": {"sums": {"all": ["with", "without"]}}},
        "tables": [{"dimensions": ["plan"], "counts": ["n"]}],
    }
    assert _spans(audit({"t.csv": "plan,n\nall,100\nwithout,97\nwith,"}, about)) == {"plan=with, n": (3, 3)}


def test_districts_of_schools(protect: Any) -> None:
    """If not, a district less its other school is the small school."""
    about = {
        "dimensions": {"org": {"sums": {"all": ["D1", "D2"], "D1": ["s1", "s2"], "D2": ["s3", "s4"]}}},
        "tables": [{"dimensions": ["org"], "counts": ["n"]}],
    }
    table = "org,n\nall,200\nD1,54\nD2,146\ns1,4\ns2,50\ns3,73\ns4,73"
    result = protect({"t.csv": table}, about)
    assert not result.audit.unsafe
    assert {f.range.name for f in result.audit.findings} == {"org=s1, n", "org=s2, n"}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("race,n\nall,10\na,4\nb,5", "row 2"),
        ("race,n\nall,9\na,x\nb,5", "row 3: column n"),
        ("race,n\nall,9\na,4\na,5", "row 4"),
        ("race,m\nall,9", "column n is missing"),
        ("race,n\nall,9\na,\nb,5", "withheld already"),
    ],
)
def test_wrong_tables_are_refused_with_their_place(protect: Any, table: str, told: str) -> None:
    """If not, the protection rests on numbers that are none."""
    with pytest.raises(ValueError, match=told):
        protect({"t.csv": table}, {"tables": [{"dimensions": ["race"], "counts": ["n"]}]})
