"""Files in: landing, readers, contracts, acceptance, receipts and the sample community.

What does not belong here: anything about Dagster, dbt or Great Expectations.
"""
