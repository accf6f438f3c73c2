"""Statistics of rates, gaps and margins: the one place in Python where their formulas stand.

What belongs here: pure functions over counts and arrays. What does not: reading files, models (`dbt_project` holds the
same formulas as SQL macros; tests hold both against each other).
"""
