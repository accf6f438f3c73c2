"""The truth: who is who, and each person's true status on each indicator, written from the events themselves.

What belongs here: definitions in SQL over true events, told apart from the models that will be judged by it. What does
not: anything that a partner sends.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from ingestion.sample.life import Life
from warehouse.duck import sql_literal

# Each query: true_person_id, cohort_year, status. Times and limits are those of the indicator definitions.
_QUERIES = {
    "kindergarten_readiness": """
        select k.true_person_id, k.school_year as cohort_year,
            case when k.school_year > k.first_year or k.entry > make_date(k.school_year - 1, 11, 1) then 'excluded'
                when r.score is null then 'not_measured' when r.score >= 270 then 'met' else 'not_met' end as status
        from (select *, min(school_year) over (partition by true_person_id) as first_year
              from (select true_person_id, school_year, min(entry_date)::date as entry
                    from spell where grade = 0 group by true_person_id, school_year)) k
        left join kra r using (true_person_id, school_year)""",
    "early_grade_reading": """
        select s.true_person_id, s.school_year as cohort_year,
            case when t.met is null then 'not_measured' when t.met then 'met' else 'not_met' end as status
        from (select distinct true_person_id, school_year from spell where grade = 3) s
        left join state_test t on t.true_person_id = s.true_person_id and t.school_year = s.school_year
            and t.subject = 'ReadingELA'""",
    "middle_grade_math": """
        select s.true_person_id, s.school_year as cohort_year,
            case when t.met is null then 'not_measured' when t.met then 'met' else 'not_met' end as status
        from (select distinct true_person_id, school_year from spell where grade = 8) s
        left join state_test t on t.true_person_id = s.true_person_id and t.school_year = s.school_year
            and t.subject = 'Mathematics'""",
    "high_school_graduation": """
        with member as (
            select true_person_id, min(case when grade = 9 then school_year end) + 3 as cohort_year
            from spell where grade between 9 and 12 group by all
        ), last as (
            select m.true_person_id, m.cohort_year, arg_max(s.exit_type, (s.entry_date, s.exit_date)) as exit_type,
                arg_max(s.exit_date, (s.entry_date, s.exit_date))::date as exit_date
            from member m join spell s on s.true_person_id = m.true_person_id and s.grade between 9 and 12
                and s.entry_date::date <= make_date(m.cohort_year, 8, 31)
            where m.cohort_year <= 2024 group by all
        )
        select true_person_id, cohort_year,
            case when g.completion_date::date <= make_date(cohort_year, 8, 31) then 'met'
                when exit_type in ('TransferOutOfState', 'TransferPrivate', 'Emigrated', 'Died')
                    and exit_date <= make_date(cohort_year, 8, 31) then 'excluded' else 'not_met' end as status
        from last left join graduation g using (true_person_id)""",
    "postsecondary_enrollment": """
        select g.true_person_id, g.school_year as cohort_year,
            case when min(t.begin_date)::date <= make_date(g.school_year, 11, 1) then 'met' else 'not_met' end as status
        from graduation g left join term t using (true_person_id) group by g.true_person_id, g.school_year""",
    "postsecondary_completion": """
        select g.true_person_id, g.school_year as cohort_year,
            case when min(a.award_date)::date <= (g.completion_date::date + interval 6 year) then 'met' else 'not_met' end as status
        from graduation g left join award a using (true_person_id)
        where g.completion_date::date + interval 6 year < date '2024-11-15'
        group by g.true_person_id, g.school_year, g.completion_date""",
    "employment": """
        with first as (
            select true_person_id,
                coalesce(min(case when grade = 9 then school_year end), arg_min(school_year - grade + 9, entry_date)) as year_9,
                max(case when exit_type = 'Died' then exit_date end)::date as died
            from spell where grade between 9 and 12 group by all
        ), due as (
            select f.*, year(p.birth_date) + 25 as calendar_year
            from first f join people p using (true_person_id)
            where f.year_9 + 9 <= year(p.birth_date) + 25 and year(p.birth_date) + 25 <= 2023
        )
        select d.true_person_id, d.calendar_year as cohort_year,
            case when d.died <= make_date(d.calendar_year, 12, 31) then 'excluded'
                when exists (from term t where t.true_person_id = d.true_person_id and t.intensity = 'F'
                    and make_date(d.calendar_year, 10, 1) between t.begin_date::date and t.end_date::date) then 'excluded'
                when (select count(*) from wage w where w.true_person_id = d.true_person_id
                    and w.year = d.calendar_year and w.wages >= 9000) >= 2 then 'met'
                else 'not_met' end as status
        from due d""",
    "chronic_absence": """
        select true_person_id, school_year as cohort_year,
            case when sum(days_enrolled) < 10 then 'excluded'
                when sum(days_absent) >= 0.1 * sum(days_enrolled) then 'met' else 'not_met' end as status
        from attendance group by all""",
    "suspension": """
        select s.true_person_id, s.school_year as cohort_year,
            case when bool_or(d.action = 'OutOfSchoolSuspension') then 'met' else 'not_met' end as status
        from (select distinct true_person_id, school_year from spell) s
        left join discipline d using (true_person_id, school_year) group by all""",
    "fafsa_completion": """
        select s.true_person_id, s.school_year as cohort_year,
            case when bool_or(f.fafsa_status = 'Complete' and f.status_date::date <= make_date(s.school_year, 6, 30)) then 'met'
                when bool_or(f.fafsa_status is not null) then 'not_met' else 'not_measured' end as status
        from (select distinct true_person_id, school_year from spell where grade = 12) s
        left join fafsa f using (true_person_id, school_year) group by all""",
    "program_participation": """
        select true_person_id, school_year as cohort_year,
            case when sum(sessions_attended) >= 0.6 * sum(sessions_offered) then 'met' else 'not_met' end as status
        from program group by all""",
}


def write_truth(
    folder: Path, people: pd.DataFrame, life: Life, ids: pd.DataFrame, *, first_serial: int
) -> None:
    """Write person, source_id and indicator of one town as Parquet; person ids go on from the towns before."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for name in life.names():
            con.register(name, life.table(name))
        con.register("people", people.drop(columns=["skill"]))
        con.register("ids", ids)
        union = " union all ".join(
            f"select true_person_id, '{name}' as indicator_id, cohort_year::bigint as cohort_year, status from ({query})"
            for name, query in _QUERIES.items()
        )
        for name, rows, order in (
            ("person", "people", "true_person_id"),
            ("source_id", "ids", "all"),
            ("indicator", f"({union})", "all"),
        ):
            shifted = f"select * replace (true_person_id + {first_serial} as true_person_id) from {rows}"
            con.execute(f"copy ({shifted} order by {order}) to {_file(folder, name)} (format parquet)")


def _file(folder: Path, name: str) -> str:
    return sql_literal(str(folder / f"{name}.parquet"))


def join_truth(towns: list[Path], folder: Path) -> None:
    """Put the truth of all towns together, and count the rate of each indicator and cohort over them."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for name in ("person", "source_id", "indicator"):
            parts = ", ".join(_file(town, name) for town in towns)
            con.execute(f"copy (from read_parquet([{parts}])) to {_file(folder, name)} (format parquet)")
        con.execute(
            f"""
            copy (
                select indicator_id, cohort_year, count(*) as eligible_n,
                    count(*) filter (where status in ('met', 'not_met')) as denominator_n,
                    count(*) filter (where status = 'met') as numerator_n, numerator_n / nullif(denominator_n, 0) as rate
                from {_file(folder, "indicator")} group by all having denominator_n > 0 order by all
            ) to {_file(folder, "rate")} (format parquet)
            """
        )
