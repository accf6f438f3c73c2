"""Two early-childhood programs."""

from __future__ import annotations

import pandas as pd

from ingestion.sample.drops.writer import YES_NO, Writer, date_text, with_faults


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
                    "dob": date_text(p["birth_date"], "%m/%d/%Y"),
                    "gender": p["gender"].str[:1],
                    "race": p["race_codes"].str.replace(";", "|"),
                    "home_address": p["street_address"],
                    "zip": p["postal_code"],
                    "parent_phone": p["phone"],
                    "program_year": p["school_year"].map(lambda y: f"{y - 1}/{y}"),
                    "center": p["site_id"],
                    "program": "Licensed",
                    "first_day": date_text(p["entry_date"], "%m/%d/%Y"),
                    "last_day": date_text(p["exit_date"], "%m/%d/%Y"),
                    "days": p["days_enrolled"],
                    "attended": p["days_attended"],
                    "subsidy": poor.map(YES_NO),
                }
            )
            writer.csv(partner, "little_steps_roster.csv", with_faults(writer.draw, out, "dob", "child_id"))
        else:
            out = pd.DataFrame(
                {
                    "PARTICIPANT_ID": p["local_id"],
                    "LNAME": p["last_name"].str.upper(),
                    "FNAME": p["first_name"].str.upper(),
                    "BIRTHDATE": date_text(p["birth_date"], "%Y%m%d"),
                    "SEX": p["sex"].str[:1],
                    "ETHNICITY_RACE": p["race_codes"],
                    "ADDR1": p["street_address"].str.upper(),
                    "POSTAL": p["postal_code"],
                    "SITE": p["site_id"],
                    "PY": p["school_year"],
                    "ENROLL_DT": date_text(p["entry_date"], "%Y%m%d"),
                    "EXIT_DT": date_text(p["exit_date"], "%Y%m%d"),
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
