"""The Dagster code location and the command line: it wires the other packages and computes nothing.

What does not belong here: any rule, formula or file format.
"""
