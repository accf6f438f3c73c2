"""The charter network."""

from __future__ import annotations

import pandas as pd

from ingestion.sample.drops.writer import GRADES, ID_PREFIXES, Writer, demographics
from ingestion.sample.workbooks import Workbook


def write_summit(writer: Writer) -> None:
    """A charter network: workbooks with title rows above the header and real date cells."""
    who = writer.source("summit_charter", *ID_PREFIXES["summit_charter"])
    part = demographics(writer, writer.rows("spell", who, district=2))
    enrollment = pd.DataFrame({
        "Scholar #": part["local_id"], "State #": part["state_student_id"], "First": part["first_name"], "Last": part["last_name"], "Date of Birth": part["birth_date"], "Gender": part["gender"].map({"Female": "F", "Male": "M", "NonBinary": "N"}), "Race/Ethnicity": part["race_codes"], "Home Address": part["street_address"], "ZIP": part["postal_code"],
        "SY": part["school_year"].map(lambda y: f"SY{y % 100:02d}"), "Campus": part["school_id"], "Grade": part["grade"].map(GRADES), "Enrolled": part["entry_date"], "How": part["entry_type"], "Withdrawn": part["exit_date"], "Why": part["exit_type"], "Low Income": part["disadvantaged"].map({True: "Yes", False: "No"}), "Days Possible": "",
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
