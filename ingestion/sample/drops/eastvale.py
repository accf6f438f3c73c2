"""The small district."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.drops.writer import GRADES, ID_PREFIXES, Writer, date_text, demographics, with_faults


def write_eastvale(writer: Writer) -> None:
    """A second district: one file a feed for all years, semicolons, cp1252, dates with points."""
    who = writer.source("eastvale_usd", *ID_PREFIXES["eastvale_usd"])
    part = demographics(writer, writer.rows("spell", who, district=1))
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
        "Pupil ID": part["local_id"], "SSID": part["state_student_id"], "Given name": part["first_name"], "Family name": part["last_name"], "Born": date_text(part["birth_date"], "%d.%m.%Y"), "Gender": part["gender"].map({"Female": "Female", "Male": "Male", "NonBinary": "Nonbinary"}),
        "Ethnic groups": part["race_codes"].str.split(";").map(lambda r: " / ".join(words[x] for x in r)), "Address": part["street_address"], "Zip": part["postal_code"], "Telephone": part["phone"],
        "Year": part["school_year"], "Building": part["school_id"], "Gr": part["grade"].map(GRADES), "Start": date_text(part["entry_date"], "%Y%m%d"), "Start type": part["entry_type"], "End": date_text(part["exit_date"], "%Y%m%d"), "Leave reason": part["exit_type"], "Lunch": np.where(part["disadvantaged"], "FREE", "PAID"), "EL": part["english_learner"].map({True: "1", False: "0"}), "IEP": part["disability"].map({True: "1", False: "0"}),
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
                "Date": date_text(d["action_date"], "%Y%m%d"),
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
                "Awarded": date_text(g["completion_date"], "%Y%m%d"),
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
                "On": date_text(f["status_date"], "%Y%m%d"),
            }
        ),
        **style,
    )
