"""What the protector withholds of invented rates, for tests of what the attacker knows besides.

What belongs here: the one call that several of these tests share. What does not: what must come of it.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from warehouse.release.attack import Attacker
from warehouse.release.protect import Policy, choose_suppressed


def withheld_races(rates: pd.DataFrame, policy: Policy, attacker: Attacker) -> set[str]:
    """Races that the protector withholds of these figures, with this attacker after him."""
    with duckdb.connect() as con:
        con.register("given", rates)
        con.execute("create table rates as from given")
        con.execute("create table parent_of (organization_key varchar, parent_organization_key varchar)")
        attacker.mark_shown(con, "rates")
        choose_suppressed(con, "rates", policy, attacker.withhold)
        return {name for (name,) in con.execute("select race_group from suppressed_cell").fetchall()}
