"""Community measures, the backbone's evidence, the directory of schools."""

from __future__ import annotations

import pandas as pd

from ingestion.sample.drops.writer import Writer


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
