"""Assets of the code location, one module a zone of the data's way.

What belongs here: which step makes what, and what it tells Dagster. What does not: how it is made.
"""
