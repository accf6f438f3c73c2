"""The large district."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.drops.writer import ID_PREFIXES, YES_NO, Writer, date_text, demographics, with_faults


def write_riverbend(writer: Writer) -> None:
    """A large district: one comma-separated file a year, American dates, numbered races beside a Hispanic flag."""
    who = writer.source("riverbend_schools", *ID_PREFIXES["riverbend_schools"])
    spells = demographics(writer, writer.rows("spell", who, district=0))
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
            "DOB": date_text(part["birth_date"], "%m/%d/%Y"), "SEX": part["sex"].str[:1], "GENDER": part["gender"].map({"Female": "F", "Male": "M", "NonBinary": "X"}),
            "HISPANIC": races.map(lambda r: "Y" if "HispanicorLatino" in r else "N"), "RACE": races.map(lambda r: ",".join(codes[x] for x in r if x in codes)),
            "STREET": part["street_address"], "CITY": "Riverbend", "ZIP": part["postal_code"], "HOME_PHONE": part["phone"], "EMAIL": part["email"], "GUARDIAN_FIRST": part["guardian_first_name"], "GUARDIAN_LAST": part["guardian_last_name"],
            "SCHOOL_YEAR": f"{int(str(year)) - 1}-{int(str(year)) % 100:02d}", "SCHOOL": part["school_id"], "GRADE": part["grade"].map({0: "K", **{g: str(g) for g in range(1, 13)}}), "ENTRY_DATE": date_text(part["entry_date"], "%m/%d/%Y"), "ENTRY_CODE": part["entry_type"].map({"Promotion": "E1", "TransferIn": "E2", "ReEntry": "E3"}),
            "EXIT_DATE": date_text(part["exit_date"], "%m/%d/%Y"), "EXIT_CODE": part["exit_type"].map(_EXITS_A), "ECON_DIS": part["disadvantaged"].map(YES_NO), "EL": part["english_learner"].map(YES_NO), "SPED": part["disability"].map(YES_NO), "GRADE9_YEAR": part["grade9_year"].replace(0, ""),
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
                "ACTION_DATE": date_text(d["action_date"], "%m/%d/%Y"),
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
                "ALG1": c["is_algebra"].map(YES_NO),
                "CR_ATT": c["credits_attempted"],
                "CR_EARN": c["credits_earned"],
                "MARK": np.where(c["is_passed"], "B", "F"),
                "PASSED": c["is_passed"].map(YES_NO),
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
                "DIPLOMA_DATE": date_text(g["completion_date"], "%m/%d/%Y"),
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
                "STATUS_DATE": date_text(f["status_date"], "%m/%d/%Y"),
            }
        ),
    )
