"""A delimited file loaded by dlt, as its documentation does it: for `acceptance.py`, which runs it beside its own.

What belongs here: what runs in an environment of its own, in which dlt is installed and nothing of this platform. What
does not: measuring.

Run: python benchmarks/dlt_load.py FILE FOLDER.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def load(file: Path, folder: Path) -> None:
    """Read with DuckDB, which guesses the types, carry as Arrow, and load into a DuckDB file in `folder`.

    Raises:
        SystemExit: a job failed.
    """
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", DLT_DATA_DIR=str(folder / "dlt"))
    import dlt  # type: ignore[import-not-found,unused-ignore]
    from dlt.sources.filesystem import (  # type: ignore[import-not-found,unused-ignore]
        filesystem,
        read_csv_duckdb,
    )

    rows = filesystem(bucket_url=file.parent.as_uri(), file_glob=file.name) | read_csv_duckdb(
        chunk_size=100_000, use_pyarrow=True, header=True
    )
    pipeline = dlt.pipeline(
        pipeline_name="results",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="loaded",
    )
    pipeline.run(rows.with_name("results"), loader_file_format="parquet").raise_on_failed_jobs()
    print(pipeline.last_trace.last_normalize_info.row_counts["results"])


if __name__ == "__main__":
    load(Path(sys.argv[1]), Path(sys.argv[2]))
