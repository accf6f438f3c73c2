"""Data-quality suites, as data, and the one way to run them.

What does not belong here: row-level acceptance (ingestion) and modelling tests (dbt_project).
"""
