"""The return of the national clearinghouse."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.drops.writer import Writer, date_text
from ingestion.sample.life import DISTRICTS


def write_clearinghouse(writer: Writer) -> None:
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
            "Enrollment Begin": date_text(terms["begin_date"], "%Y%m%d"),
            "Enrollment End": date_text(terms["end_date"], "%Y%m%d"),
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
            "Graduation Date": date_text(awards["award_date"], "%Y%m%d"),
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
