"""After school: the college, the labor agency, the out-of-school program."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.drops.writer import Writer, date_text, with_faults


def write_after_school(writer: Writer) -> None:
    """A college's credits, wage records, and a youth program."""
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
                "Birthdate": date_text(t["birth_date"], "%m/%d/%Y"),
                "Address": t["street_address"],
                "Zip": t["postal_code"],
                "Term Start": date_text(t["begin_date"], "%m/%d/%Y"),
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
                "BIRTH": date_text(w["birth_date"], "%Y%m%d"),
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
                    "DOB": date_text(p["birth_date"], "%m/%d/%Y"),
                    "Address": p["street_address"],
                    "Zip": p["postal_code"],
                    "Year": p["school_year"],
                    "Program": p["program_id"],
                    "Type": p["program_type"],
                    "Start": date_text(p["start_date"], "%m/%d/%Y"),
                    "Offered": p["sessions_offered"],
                    "Attended": p["sessions_attended"],
                }
            ),
            "Start",
            "Participant",
        ),
    )
