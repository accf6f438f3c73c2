"""What partners drop: their own headers, codes, dates and faults.

What belongs here: the files. What does not: the mappings that read them (`community/`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ingestion.sample.life import DISTRICTS, Life
from ingestion.sample.people import Draw
from ingestion.sample.spelling import as_written
from ingestion.sample.workbooks import Workbook

_PREFIX = {
    "riverbend_schools": ("RB-", 7919),
    "eastvale_usd": ("EV7", 104729),
    "summit_charter": ("SCN", 15485863),
}
_GRADES = {0: "KG", **{g: f"{g:02d}" for g in range(1, 13)}}


@dataclass
class Writer:
    """Writes into landing folders, and keeps the ids that each source gave."""

    root: Path
    draw: Draw
    people: pd.DataFrame
    life: Life
    ids: list[pd.DataFrame] = field(default_factory=list)
    workbooks: list[Workbook] = field(default_factory=list)

    def source(self, partner: str, prefix: str, step: int) -> pd.DataFrame:
        """The people as a partner writes them; the truth of its ids is kept."""
        frame = as_written(self.draw, self.people, prefix, step=step)
        self.ids.append(
            pd.DataFrame(
                {
                    "issuer_id": partner,
                    "local_id": frame["local_id"],
                    "true_person_id": frame["true_person_id"],
                }
            )
        )
        return frame

    def rows(self, kind: str, who: pd.DataFrame, **equal: object) -> pd.DataFrame:
        """Events of a kind with the person as written; filtered by columns."""
        events = self.life.table(kind)
        for name, value in equal.items():
            events = events[events[name] == value]
        return events.merge(who, on="true_person_id", how="left", suffixes=("", "_person"))

    def csv(self, partner: str, name: str, frame: pd.DataFrame, **options: object) -> None:
        """Write a CSV into the partner's landing folder."""
        self._write(Path("data") / "landing" / partner / name, frame, **options)

    def later(self, night: int, partner: str, name: str, frame: pd.DataFrame) -> None:
        """Write a CSV for a later night, beside the landing folder."""
        self._write(Path("nights") / f"{night:02d}" / partner / name, frame)

    def _write(self, place: Path, frame: pd.DataFrame, **options: object) -> None:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]


def with_faults(draw: Draw, frame: pd.DataFrame, date_column: str | None, key_column: str) -> pd.DataFrame:
    """The frame with the usual faults below it: rows sent twice, rows with a bad date, rows without a key.

    Good rows are never touched, so the truth stays what it is.
    """
    n = max(1, round(0.0015 * len(frame)))
    picks = draw.rng.integers(0, len(frame), 3 * n)
    twice, dated, keyless = (frame.iloc[picks[i * n : (i + 1) * n]].copy() for i in range(3))
    keyless[key_column] = ""
    parts = [frame, twice, keyless]
    if date_column:
        dated[date_column] = "99/99/9999"
        parts.append(dated)
    return pd.concat(parts, ignore_index=True)


def _date(column: pd.Series, fmt: str) -> pd.Series:
    return pd.to_datetime(column).dt.strftime(fmt).fillna("")


_STATUS_YN = {True: "Y", False: "N"}


def _demographics(writer: Writer, spells: pd.DataFrame) -> pd.DataFrame:
    status = writer.life.table("status").drop_duplicates(["true_person_id", "school_year"])
    return spells.merge(status, on=["true_person_id", "school_year"], how="left")


def write_riverbend(writer: Writer) -> None:
    """A large district: one comma-separated file a year, American dates, numbered races beside a Hispanic flag."""
    who = writer.source("riverbend_schools", *_PREFIX["riverbend_schools"])
    spells = _demographics(writer, writer.rows("spell", who, district=0))
    codes = {
        "AmericanIndianorAlaskaNative": "1",
        "Asian": "2",
        "BlackorAfricanAmerican": "3",
        "NativeHawaiianorOtherPacificIslander": "4",
        "White": "5",
        "MiddleEasternorNorthAfrican": "7",
    }
    for year, part in spells.groupby("school_year"):
        races = part["race_codes"].str.split(";")
        out = pd.DataFrame({
            "STUDENT_NUMBER": part["local_id"], "STATE_ID": part["state_student_id"], "FIRST_NAME": part["first_name"], "MIDDLE_NAME": part["middle_name"], "LAST_NAME": part["last_name"],
            "DOB": _date(part["birth_date"], "%m/%d/%Y"), "SEX": part["sex"].str[:1], "GENDER": part["gender"].map({"Female": "F", "Male": "M", "NonBinary": "X"}),
            "HISPANIC": races.map(lambda r: "Y" if "HispanicorLatino" in r else "N"), "RACE": races.map(lambda r: ",".join(codes[x] for x in r if x in codes)),
            "STREET": part["street_address"], "CITY": "Riverbend", "ZIP": part["postal_code"], "HOME_PHONE": part["phone"], "EMAIL": part["email"], "GUARDIAN_FIRST": part["guardian_first_name"], "GUARDIAN_LAST": part["guardian_last_name"],
            "SCHOOL_YEAR": f"{int(str(year)) - 1}-{int(str(year)) % 100:02d}", "SCHOOL": part["school_id"], "GRADE": part["grade"].map({0: "K", **{g: str(g) for g in range(1, 13)}}), "ENTRY_DATE": _date(part["entry_date"], "%m/%d/%Y"), "ENTRY_CODE": part["entry_type"].map({"Promotion": "E1", "TransferIn": "E2", "ReEntry": "E3"}),
            "EXIT_DATE": _date(part["exit_date"], "%m/%d/%Y"), "EXIT_CODE": part["exit_type"].map(_EXITS_A), "ECON_DIS": part["disadvantaged"].map(_STATUS_YN), "EL": part["english_learner"].map(_STATUS_YN), "SPED": part["disability"].map(_STATUS_YN), "GRADE9_YEAR": part["grade9_year"].replace(0, ""),
        })  # fmt: skip
        writer.csv(
            "riverbend_schools",
            f"students_{year}.csv",
            with_faults(writer.draw, out, "ENTRY_DATE", "STUDENT_NUMBER"),
        )
        if year == spells["school_year"].max():
            # Told of its faults, the district sends the last year again; and once more by mistake.
            for night in (3, 4):
                writer.later(night, "riverbend_schools", f"students_{year}_corrected.csv", out)
        _riverbend_year(writer, who, int(str(year)))


_EXITS_A = {
    "Promoted": "W00",
    "TransferInDistrict": "W01",
    "TransferOutOfState": "W03",
    "TransferPrivate": "W04",
    "Emigrated": "W06",
    "Died": "W07",
    "Graduated": "W10",
    "DroppedOut": "W20",
}


def _riverbend_year(writer: Writer, who: pd.DataFrame, year: int) -> None:
    def rows(kind: str) -> pd.DataFrame:
        return writer.rows(kind, who, district=0, school_year=year)

    a = rows("attendance")
    writer.csv(
        "riverbend_schools",
        f"attendance_{year}.csv",
        with_faults(
            writer.draw,
            pd.DataFrame(
                {
                    "STUDENT_NUMBER": a["local_id"],
                    "YEAR": year,
                    "SCHOOL": a["school_id"],
                    "DAYS_MEMBER": a["days_enrolled"],
                    "DAYS_ABSENT": a["days_absent"],
                }
            ),
            None,
            "STUDENT_NUMBER",
        ),
    )
    d = rows("discipline")
    writer.csv(
        "riverbend_schools",
        f"discipline_{year}.csv",
        pd.DataFrame(
            {
                "STUDENT_NUMBER": d["local_id"],
                "YEAR": year,
                "SCHOOL": d["school_id"],
                "ACTION_DATE": _date(d["action_date"], "%m/%d/%Y"),
                "ACTION": d["action"].map({"OutOfSchoolSuspension": "OSS", "InSchoolSuspension": "ISS"}),
                "DAYS": d["days"],
            }
        ),
    )
    c = rows("course")
    writer.csv(
        "riverbend_schools",
        f"grades_{year}.csv",
        pd.DataFrame(
            {
                "STUDENT_NUMBER": c["local_id"],
                "YEAR": year,
                "SCHOOL": c["school_id"],
                "TERM": c["term"],
                "COURSE": c["course_id"],
                "SUBJECT": c["course_subject"],
                "LEVEL": c["course_level"],
                "ALG1": c["is_algebra"].map(_STATUS_YN),
                "CR_ATT": c["credits_attempted"],
                "CR_EARN": c["credits_earned"],
                "MARK": np.where(c["is_passed"], "B", "F"),
                "PASSED": c["is_passed"].map(_STATUS_YN),
            }
        ),
    )
    g = rows("graduation")
    writer.csv(
        "riverbend_schools",
        f"graduates_{year}.csv",
        pd.DataFrame(
            {
                "STUDENT_NUMBER": g["local_id"],
                "STATE_ID": g["state_student_id"],
                "YEAR": year,
                "SCHOOL": g["school_id"],
                "DIPLOMA_DATE": _date(g["completion_date"], "%m/%d/%Y"),
                "DIPLOMA": "REG",
            }
        ),
    )
    f = rows("fafsa")
    writer.csv(
        "riverbend_schools",
        f"fafsa_{year}.csv",
        pd.DataFrame(
            {
                "STUDENT_NUMBER": f["local_id"],
                "YEAR": year,
                "SCHOOL": f["school_id"],
                "STATUS": f["fafsa_status"].map({"Complete": "C", "Incomplete": "I"}),
                "STATUS_DATE": _date(f["status_date"], "%m/%d/%Y"),
            }
        ),
    )


def write_eastvale(writer: Writer) -> None:
    """A second district: one file a feed for all years, semicolons, cp1252, dates with points."""
    who = writer.source("eastvale_usd", *_PREFIX["eastvale_usd"])
    part = _demographics(writer, writer.rows("spell", who, district=1))
    style: dict[str, object] = {
        "sep": ";",
        "encoding": "cp1252",
        "errors": "replace",
        "lineterminator": "\r\n",
    }
    words = {
        "HispanicorLatino": "Hispanic",
        "White": "White",
        "BlackorAfricanAmerican": "Black",
        "Asian": "Asian",
        "AmericanIndianorAlaskaNative": "Native American",
        "NativeHawaiianorOtherPacificIslander": "Pacific Islander",
        "MiddleEasternorNorthAfrican": "MENA",
    }
    out = pd.DataFrame({
        "Pupil ID": part["local_id"], "SSID": part["state_student_id"], "Given name": part["first_name"], "Family name": part["last_name"], "Born": _date(part["birth_date"], "%d.%m.%Y"), "Gender": part["gender"].map({"Female": "Female", "Male": "Male", "NonBinary": "Nonbinary"}),
        "Ethnic groups": part["race_codes"].str.split(";").map(lambda r: " / ".join(words[x] for x in r)), "Address": part["street_address"], "Zip": part["postal_code"], "Telephone": part["phone"],
        "Year": part["school_year"], "Building": part["school_id"], "Gr": part["grade"].map(_GRADES), "Start": _date(part["entry_date"], "%Y%m%d"), "Start type": part["entry_type"], "End": _date(part["exit_date"], "%Y%m%d"), "Leave reason": part["exit_type"], "Lunch": np.where(part["disadvantaged"], "FREE", "PAID"), "EL": part["english_learner"].map({True: "1", False: "0"}), "IEP": part["disability"].map({True: "1", False: "0"}),
    })  # fmt: skip
    writer.csv(
        "eastvale_usd", "Pupils all years.csv", with_faults(writer.draw, out, "Start", "Pupil ID"), **style
    )
    a = writer.rows("attendance", who, district=1)
    writer.csv(
        "eastvale_usd",
        "Attendance all years.csv",
        pd.DataFrame(
            {
                "Pupil ID": a["local_id"],
                "Year": a["school_year"],
                "Building": a["school_id"],
                "Possible": a["days_enrolled"],
                "Absent": a["days_absent"].map(lambda v: f"{v:.1f}".replace(".", ",")),
            }
        ),
        **style,
    )
    d = writer.rows("discipline", who, district=1)
    writer.csv(
        "eastvale_usd",
        "Discipline all years.csv",
        pd.DataFrame(
            {
                "Pupil ID": d["local_id"],
                "Year": d["school_year"],
                "Building": d["school_id"],
                "Date": _date(d["action_date"], "%Y%m%d"),
                "Measure": d["action"],
                "Length": d["days"],
            }
        ),
        **style,
    )
    c = writer.rows("course", who, district=1)
    writer.csv(
        "eastvale_usd",
        "Courses all years.csv",
        pd.DataFrame(
            {
                "Pupil ID": c["local_id"],
                "Year": c["school_year"],
                "Building": c["school_id"],
                "Half": c["term"],
                "Course": c["course_id"],
                "Area": c["course_subject"],
                "Level": c["course_level"],
                "Algebra": c["is_algebra"].map({True: "1", False: "0"}),
                "Tried": c["credits_attempted"],
                "Got": c["credits_earned"],
                "Pass": c["is_passed"].map({True: "1", False: "0"}),
            }
        ),
        **style,
    )
    g = writer.rows("graduation", who, district=1)
    writer.csv(
        "eastvale_usd",
        "Diplomas all years.csv",
        pd.DataFrame(
            {
                "Pupil ID": g["local_id"],
                "SSID": g["state_student_id"],
                "Year": g["school_year"],
                "Building": g["school_id"],
                "Awarded": _date(g["completion_date"], "%Y%m%d"),
                "Kind": "Standard",
            }
        ),
        **style,
    )
    f = writer.rows("fafsa", who, district=1)
    writer.csv(
        "eastvale_usd",
        "FAFSA all years.csv",
        pd.DataFrame(
            {
                "Pupil ID": f["local_id"],
                "Year": f["school_year"],
                "Building": f["school_id"],
                "Status": f["fafsa_status"],
                "On": _date(f["status_date"], "%Y%m%d"),
            }
        ),
        **style,
    )


def write_summit(writer: Writer) -> None:
    """A charter network: workbooks with title rows above the header and real date cells."""
    who = writer.source("summit_charter", *_PREFIX["summit_charter"])
    part = _demographics(writer, writer.rows("spell", who, district=2))
    enrollment = pd.DataFrame({
        "Scholar #": part["local_id"], "State #": part["state_student_id"], "First": part["first_name"], "Last": part["last_name"], "Date of Birth": part["birth_date"], "Gender": part["gender"].map({"Female": "F", "Male": "M", "NonBinary": "N"}), "Race/Ethnicity": part["race_codes"], "Home Address": part["street_address"], "ZIP": part["postal_code"],
        "SY": part["school_year"].map(lambda y: f"SY{y % 100:02d}"), "Campus": part["school_id"], "Grade": part["grade"].map(_GRADES), "Enrolled": part["entry_date"], "How": part["entry_type"], "Withdrawn": part["exit_date"], "Why": part["exit_type"], "Low Income": part["disadvantaged"].map({True: "Yes", False: "No"}), "Days Possible": "",
    })  # fmt: skip
    _workbook(writer, "Summit enrollment.xlsx", "Summit Charter Network: enrollment, all years", enrollment)
    a = writer.rows("attendance", who, district=2)
    _workbook(
        writer,
        "Summit attendance.xlsx",
        "Summit Charter Network: attendance, all years",
        pd.DataFrame(
            {
                "Scholar #": a["local_id"],
                "SY": a["school_year"],
                "Campus": a["school_id"],
                "Days Enrolled": a["days_enrolled"],
                "Days Absent": a["days_absent"],
            }
        ),
    )
    d = writer.rows("discipline", who, district=2)
    _workbook(
        writer,
        "Summit discipline.xlsx",
        "Summit Charter Network: discipline, all years",
        pd.DataFrame(
            {
                "Scholar #": d["local_id"],
                "SY": d["school_year"],
                "Campus": d["school_id"],
                "Date": d["action_date"],
                "Action": d["action"],
                "Days": d["days"],
            }
        ),
    )
    c = writer.rows("course", who, district=2)
    _workbook(
        writer,
        "Summit courses.xlsx",
        "Summit Charter Network: courses, all years",
        pd.DataFrame(
            {
                "Scholar #": c["local_id"],
                "SY": c["school_year"],
                "Campus": c["school_id"],
                "Term": c["term"],
                "Course": c["course_id"],
                "Subject": c["course_subject"],
                "Level": c["course_level"],
                "Algebra 1+": c["is_algebra"].map({True: "Yes", False: "No"}),
                "Attempted": c["credits_attempted"],
                "Earned": c["credits_earned"],
                "Passed": c["is_passed"].map({True: "Yes", False: "No"}),
            }
        ),
    )
    g = writer.rows("graduation", who, district=2)
    _workbook(
        writer,
        "Summit graduates.xlsx",
        "Summit Charter Network: graduates, all years",
        pd.DataFrame(
            {
                "Scholar #": g["local_id"],
                "SY": g["school_year"],
                "Campus": g["school_id"],
                "Diploma Date": g["completion_date"],
                "Diploma": "Regular",
            }
        ),
    )
    f = writer.rows("fafsa", who, district=2)
    _workbook(
        writer,
        "Summit FAFSA.xlsx",
        "Summit Charter Network: FAFSA, all years",
        pd.DataFrame(
            {
                "Scholar #": f["local_id"],
                "SY": f["school_year"],
                "Campus": f["school_id"],
                "Status": f["fafsa_status"],
                "Date": f["status_date"],
            }
        ),
    )


def _workbook(writer: Writer, name: str, title: str, frame: pd.DataFrame) -> None:
    writer.workbooks.append(Workbook(f"summit_charter/{name}", title, frame))


def write_state(writer: Writer) -> None:
    """The state: tests of grades 3 to 8, kindergarten readiness and a college-entrance test, by state id."""
    who = as_written(writer.draw, writer.people, "XX", step=3)
    who["state_student_id"] = writer.people["state_student_id"]
    writer.ids.append(
        pd.DataFrame(
            {
                "issuer_id": "state_education",
                "local_id": who["state_student_id"],
                "true_person_id": who["true_person_id"],
            }
        )
    )

    def base(t: pd.DataFrame) -> dict[str, object]:
        return {
            "SASID": t["state_student_id"],
            "LastName": t["last_name"],
            "FirstName": t["first_name"],
            "MI": t["middle_name"].str[:1],
            "BirthDate": _date(t["birth_date"], "%Y-%m-%d"),
            "Sex": t["sex"].str[:1],
            "Year": t["school_year"],
        }

    tests = writer.rows("state_test", who)
    rng = writer.draw.rng
    for year, t in tests.groupby("school_year"):
        words = (
            ("Proficient", "Advanced", "Basic", "Below Basic")
            if int(str(year)) < 2017
            else ("Met Expectations", "Exceeded Expectations", "Approached Expectations", "Did Not Meet")
        )
        top = rng.random(len(t)) < 0.25
        level = np.where(t["met"], np.where(top, words[1], words[0]), np.where(top, words[3], words[2]))
        score = np.where(t["met"], rng.integers(750, 850, len(t)), rng.integers(650, 750, len(t)))
        out = pd.DataFrame(
            {
                **base(t),
                "Grade": t["grade"].map(_GRADES),
                "Subject": t["subject"].map({"ReadingELA": "ELA", "Mathematics": "MATH"}),
                "TestDate": f"{year}-04-20",
                "ScaleScore": score,
                "Level": level,
                "Valid": "Y",
            }
        )
        writer.csv(
            "state_education",
            f"state_assessment_{year}.csv",
            with_faults(writer.draw, out, "TestDate", "SASID"),
        )
    k = writer.rows("kra", who)
    writer.csv(
        "state_education",
        "kindergarten_readiness.csv",
        pd.DataFrame(
            {
                **base(k),
                "TestDate": [f"{y - 1}-09-20" for y in k["school_year"]],
                "Overall": k["score"],
                "Level": np.where(
                    k["score"] >= 270,
                    "Demonstrating Readiness",
                    np.where(k["score"] >= 258, "Approaching Readiness", "Emerging Readiness"),
                ),
            }
        ),
    )
    a = writer.rows("act", who)
    writer.csv(
        "state_education",
        "act_juniors.csv",
        pd.DataFrame(
            {
                **base(a),
                "TestDate": [f"{y}-03-01" for y in a["school_year"]],
                "Subject": a["subject"].map({"ReadingELA": "READ", "Mathematics": "MATH"}),
                "Score": a["score"],
            }
        ),
    )


def write_early_childhood(writer: Writer) -> None:
    """Two programs with layouts of their own."""
    for partner, prefix in (("little_steps", "LS."), ("harbor_head_start", "HHS")):
        who = writer.source(partner, prefix, 27644437)
        p = writer.rows("prek", who, partner=partner)
        poor = p.merge(writer.people[["true_person_id", "disadvantaged"]], on="true_person_id")[
            "disadvantaged"
        ]
        if partner == "little_steps":
            out = pd.DataFrame(
                {
                    "child_id": p["local_id"],
                    "child_first": p["first_name"],
                    "child_last": p["last_name"],
                    "dob": _date(p["birth_date"], "%m/%d/%Y"),
                    "gender": p["gender"].str[:1],
                    "race": p["race_codes"].str.replace(";", "|"),
                    "home_address": p["street_address"],
                    "zip": p["postal_code"],
                    "parent_phone": p["phone"],
                    "program_year": p["school_year"].map(lambda y: f"{y - 1}/{y}"),
                    "center": p["site_id"],
                    "program": "Licensed",
                    "first_day": _date(p["entry_date"], "%m/%d/%Y"),
                    "last_day": _date(p["exit_date"], "%m/%d/%Y"),
                    "days": p["days_enrolled"],
                    "attended": p["days_attended"],
                    "subsidy": poor.map(_STATUS_YN),
                }
            )
            writer.csv(partner, "little_steps_roster.csv", with_faults(writer.draw, out, "dob", "child_id"))
        else:
            out = pd.DataFrame(
                {
                    "PARTICIPANT_ID": p["local_id"],
                    "LNAME": p["last_name"].str.upper(),
                    "FNAME": p["first_name"].str.upper(),
                    "BIRTHDATE": _date(p["birth_date"], "%Y%m%d"),
                    "SEX": p["sex"].str[:1],
                    "ETHNICITY_RACE": p["race_codes"],
                    "ADDR1": p["street_address"].str.upper(),
                    "POSTAL": p["postal_code"],
                    "SITE": p["site_id"],
                    "PY": p["school_year"],
                    "ENROLL_DT": _date(p["entry_date"], "%Y%m%d"),
                    "EXIT_DT": _date(p["exit_date"], "%Y%m%d"),
                    "DAYS_ENR": p["days_enrolled"],
                    "DAYS_ATT": p["days_attended"],
                }
            )
            writer.csv(
                partner,
                "hhs_enrollment_export.txt",
                with_faults(writer.draw, out, "ENROLL_DT", "PARTICIPANT_ID"),
                sep="\t",
            )


def write_after_school(writer: Writer) -> None:
    """Clearinghouse return, a college's credits, wage records, and a youth program."""
    _clearinghouse(writer)
    who = writer.source("river_college", "RC", 32452843)
    t = writer.rows("term", who)
    t = t[~t["four"]]
    earned = np.where(t["intensity"] == "F", 13, 6)
    writer.csv(
        "river_college",
        "term_credits.csv",
        pd.DataFrame(
            {
                "EMPLID": t["local_id"],
                "First": t["first_name"],
                "Last": t["last_name"],
                "Birthdate": _date(t["birth_date"], "%m/%d/%Y"),
                "Address": t["street_address"],
                "Zip": t["postal_code"],
                "Term Start": _date(t["begin_date"], "%m/%d/%Y"),
                "Attempted": earned + 2,
                "Earned": earned,
            }
        ),
    )
    who = writer.source("state_labor", "WX", 49979687)
    w = writer.rows("wage", who)
    writer.csv(
        "state_labor",
        "ui_wages.csv",
        pd.DataFrame(
            {
                "SSN": w["social_security_number"],
                "LAST": w["last_name"].str.upper(),
                "FIRST": w["first_name"].str.upper(),
                "BIRTH": _date(w["birth_date"], "%Y%m%d"),
                "UI_ACCOUNT": w["employer_id"],
                "YEARQTR": w["year"].astype(str) + w["quarter"].astype(str),
                "WAGES": (w["wages"] * 100).round().astype("int64"),
            }
        ),
    )
    who = writer.source("youth_works", "YWP", 67867967)
    p = writer.rows("program", who)
    writer.csv(
        "youth_works",
        "participation.csv",
        with_faults(
            writer.draw,
            pd.DataFrame(
                {
                    "Participant": p["local_id"],
                    "First Name": p["first_name"],
                    "Last Name": p["last_name"],
                    "DOB": _date(p["birth_date"], "%m/%d/%Y"),
                    "Address": p["street_address"],
                    "Zip": p["postal_code"],
                    "Year": p["school_year"],
                    "Program": p["program_id"],
                    "Type": p["program_type"],
                    "Start": _date(p["start_date"], "%m/%d/%Y"),
                    "Offered": p["sessions_offered"],
                    "Attended": p["sessions_attended"],
                }
            ),
            "Start",
            "Participant",
        ),
    )


def _clearinghouse(writer: Writer) -> None:
    """One return for all three districts: their own ids come back with an underscore, names in capitals."""
    graduates = writer.life.table("graduation").drop_duplicates("true_person_id")
    local = pd.concat(
        [
            frame[frame["issuer_id"] == name].assign(district=k)
            for k, name in enumerate(DISTRICTS)
            for frame in writer.ids
            if (frame["issuer_id"] == name).any()
        ]
    )
    asked = (
        graduates[["true_person_id", "district"]]
        .merge(local, on=["true_person_id", "district"])
        .merge(writer.people, on="true_person_id")
    )
    head = pd.DataFrame(
        {
            "true_person_id": asked["true_person_id"],
            "Your Unique Identifier": asked["local_id"] + "_",
            "First Name": asked["first_name"].str.upper(),
            "Middle Initial": asked["middle_name"].str[:1],
            "Last Name": asked["last_name"].str.upper(),
            "Name Suffix": "",
            "Requester Return Field": asked["issuer_id"].str.upper() + "_",
        }
    )
    terms = head.merge(writer.life.table("term"), on="true_person_id")
    terms = terms.assign(
        **{  # type: ignore[arg-type]
            "Record Found Y/N": "Y",
            "Search Date": "20241110",
            "College Code/Branch": np.where(terms["four"], "001234-00", "005678-00"),
            "College Name": np.where(
                terms["four"], "STATE UNIVERSITY AT ELMHURST", "RIVER COMMUNITY COLLEGE"
            ),
            "College State": "OH",
            "2-year / 4-year": np.where(terms["four"], "4", "2"),
            "Public / Private": "Public",
            "Enrollment Begin": _date(terms["begin_date"], "%Y%m%d"),
            "Enrollment End": _date(terms["end_date"], "%Y%m%d"),
            "Enrollment Status": terms["intensity"],
            "Graduated?": "N",
            "Graduation Date": "",
            "Degree Title": "",
        }
    )
    awards = head.merge(writer.life.table("award"), on="true_person_id")
    awards = awards.assign(
        **{  # type: ignore[arg-type]
            "Record Found Y/N": "Y",
            "Search Date": "20241110",
            "College Code/Branch": np.where(awards["four"], "001234-00", "005678-00"),
            "College Name": np.where(
                awards["four"], "STATE UNIVERSITY AT ELMHURST", "RIVER COMMUNITY COLLEGE"
            ),
            "College State": "OH",
            "2-year / 4-year": np.where(awards["four"], "4", "2"),
            "Public / Private": "Public",
            "Enrollment Begin": "",
            "Enrollment End": "",
            "Enrollment Status": "",
            "Graduated?": "Y",
            "Graduation Date": _date(awards["award_date"], "%Y%m%d"),
            "Degree Title": np.where(awards["four"], "BACHELOR OF ARTS", "ASSOCIATE OF SCIENCE"),
        }
    )
    none = head[~head["true_person_id"].isin(terms["true_person_id"])].assign(
        **{"Record Found Y/N": "N", "Search Date": "20241110"}
    )
    again = terms.iloc[: max(1, len(terms) // 200)]
    out = (
        pd.concat([terms, awards, none, again], ignore_index=True)
        .drop(
            columns=["true_person_id", "four", "begin_date", "end_date", "intensity", "award_date"],
            errors="ignore",
        )
        .fillna("")
    )
    writer.csv("clearinghouse", "SE_detail_return.csv", out)


def write_places(writer: Writer) -> None:
    """Community measures: a Census-style table, counts of homeless students with blurred cells; the backbone's evidence."""
    codes = ["GEO_ID", "NAME", "S1701_C03_001E", "S1701_C03_001M", "S2301_C04_001E", "S2301_C04_001M"]
    labels = [
        "Geography",
        "Geographic Area Name",
        "Estimate!!Percent below poverty level",
        "Margin of Error!!Percent below poverty level",
        "Estimate!!Unemployment rate",
        "Margin of Error!!Unemployment rate",
    ]
    for year, values in (
        (2014, ("21.4", "1.1", "8.9", "0.8")),
        (2019, ("17.2", "1.0", "5.6", "0.6")),
        (2023, ("15.9", "0.9", "5.1", "0.6")),
    ):
        frame = pd.DataFrame(
            [
                labels,
                ["0500000US39999", "Riverbend County", *values],
                ["1400000US39999000100", "Census Tract 1", "31.0", "6.2", "(X)", "(X)"],
            ],
            columns=codes,
        )
        night = "data/landing" if year < 2023 else "nights/02"
        path = writer.root / night / "regional_data" / f"ACSST5Y{year}.poverty-Data.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False)
    homeless = pd.DataFrame(
        [
            ("39999", "Riverbend County", y, n)
            for y, n in ((2019, "412"), (2020, "388"), (2021, "<10"), (2022, "351"), (2023, "330"))
        ],
        columns=["fips", "county", "year", "students"],
    )
    writer.csv("regional_data", "homeless_students.csv", homeless)
    _evidence(writer)


def _evidence(writer: Writer) -> None:
    met = {"EXP": "2016-03-01", "EME": "2017-06-15", "SUS": "2019-05-20"}
    rows = []
    ids = {
        "EXP": ("SCV-1", "SCV-2", "SCV-3", "EDM-1", "EDM-2", "COL-1", "INV-1", "INV-2"),
        "EME": ("SCV-1", "SCV-2", "SCV-3", "EDM-1", "EDM-2", "COL-1", "INV-1", "INV-2"),
        "SUS": ("SCV-1", "SCV-2", "EDM-1", "COL-1", "COL-2", "COL-3", "INV-1", "INV-2"),
    }
    for gateway, day in met.items():
        rows += [
            (f"{gateway}-{item}", "met", day, "", "executive director", "document", f"{gateway} file {item}")
            for item in ids[gateway]
        ]
    rows += [
        (f"SYC-{item}", "met", "2022-09-01", "", "executive director", "document", f"SYC file {item}")
        for item in ("SCV-1", "SCV-2", "EDM-2", "COL-1", "INV-1")
    ]
    rows += [
        ("SYC-COL-2", "in_progress", "2023-02-01", "", "executive director", "meeting", "co-design minutes"),
        ("SYC-INV-2", "met", "2021-01-15", "2023-12-31", "policy lead", "policy", "board resolution"),
    ]
    writer.csv(
        "backbone",
        "benchmark_evidence.csv",
        pd.DataFrame(rows, columns=["benchmark", "status", "since", "until", "by", "kind", "reference"]),
    )


def write_directory(writer: Writer) -> None:
    """The state's directory of schools."""
    spells = writer.life.table("spell").drop_duplicates("school_id").sort_values("school_id")
    towns = {"RB": "Riverbend", "EV": "Eastvale", "SC": "Summit"}
    levels = {"E": "Elementary", "M": "Middle", "H": "High"}
    rows = [(s, f"{towns[s[:2]]} {levels[s[2]]} {int(s[3:])}", "School") for s in spells["school_id"]]
    for partner, prefix in (("riverbend_schools", "RB"), ("eastvale_usd", "EV"), ("summit_charter", "SC")):
        own = [row for row in rows if row[0].startswith(prefix)]
        writer.csv(
            partner, f"{prefix.lower()}_directory.csv", pd.DataFrame(own, columns=["id", "name", "type"])
        )
