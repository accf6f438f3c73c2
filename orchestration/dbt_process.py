"""dbt as a night starts it: a night that is killed does not leave it at work on the tables of the next one.

What belongs here: nothing else. What does not: its arguments (`dbt_command`).
"""

from warehouse.processes import end_with_parent


def main() -> None:
    """`throughline-dbt`: dbt, for as long as whoever started it lives."""
    end_with_parent()
    from dbt.cli.main import cli

    cli()
