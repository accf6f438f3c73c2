"""The default sample, as `make demo` makes it, against what is true of every person in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("default_sample")]

HALF_A_POINT = 0.005


def test_every_rate_is_within_half_a_point_of_the_truth(
    tmp_path: Path, run_cli: Callable[..., object]
) -> None:
    """If not, linkage or a definition loses or invents people, and the community acts on wrong numbers."""
    root = tmp_path / "riverbend"
    done = run_cli("demo", "--dir", str(root), timeout=1800)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]  # type: ignore[attr-defined]
    rates = root / "data" / "releases" / "current" / "tables" / "pub_indicator_rate_v1.parquet"
    with duckdb.connect() as con:
        con.execute(f"create view truth as from read_parquet('{root}/truth/rate.parquet')")
        con.execute(
            f"""
            create view published as from read_parquet('{rates}')
            where geography_id = '0500000US39999' and organization_key = 'all' and race_scheme = 'federal7'
              and race_group = 'all' and gender_group = 'all' and economic_group = 'all'
            """
        )
        wrong = con.execute(
            f"""
            select t.indicator_id, t.cohort_year, t.rate, p.rate, t.denominator_n
            from truth t left join published p using (indicator_id, cohort_year)
            where p.rate is null or abs(p.rate - t.rate) > {HALF_A_POINT}
            """
        ).fetchall()
        assert con.execute("select count(*) > 100 from truth").fetchone() == (True,)
    assert wrong == []
