"""Nights on an Apache Spark cluster that the user has: the session, and the way of the tables there and back.

What belongs here: everything that knows of Spark and neither of linkage (`warehouse.linkage.on_spark`) nor of dbt
(`orchestration.on_spark`). What does not: any figure. PySpark is no dependency: `make spark` installs it beside.
"""
