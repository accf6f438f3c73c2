"""The state's education agency."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.drops.writer import GRADES, Writer, date_text, with_faults
from ingestion.sample.spelling import as_written


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
            "BirthDate": date_text(t["birth_date"], "%Y-%m-%d"),
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
                "Grade": t["grade"].map(GRADES),
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
