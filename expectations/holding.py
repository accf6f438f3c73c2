"""Which new delivery breaks a blocking rule of the lake, so that it alone is set back and the rest is published.

What belongs here: asking the rules of the feeds with and without deliveries. What does not: the ledger's record of
it (`warehouse.ledger`), and rules of core tables and marts, where the partners have come together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from expectations.drift import drifted, load_drift_rules
from expectations.limits import Limits
from expectations.model import Rule, Suite, load_suites
from warehouse.duck import sql_literal
from warehouse.ledger import HeldRule, Hold, LakeFile, Ledger

_LAKE = "lake."


@dataclass(frozen=True)
class Bench:
    """Where deliveries are tried.

    Attributes:
        ledger: of the community.
        database: a file of its own, made and removed at each trial.
        fill: writes the schemas `lake` over some files, and `config`, into a connection.
        released: deliveries of the present release; they were good enough, and are never set back.
        limits: figures of the community, in place of the rules' own.
    """

    ledger: Ledger
    database: Path
    fill: Callable[[duckdb.DuckDBPyConnection, Sequence[LakeFile]], None]
    released: Collection[str]
    limits: Limits = field(default_factory=dict)

    def failing(self, suites: Sequence[Suite], without: Collection[str]) -> set[str]:
        """Ids of the rules that fail on the lake as it is without some deliveries."""
        from expectations.run import run_suites

        try:
            self.write(self.database, self.ledger.current_files(without=without))
            report = run_suites(self.database, "holding", suites)
            return {result.rule_id for result in report.blocking_failures}
        finally:
            self.database.unlink(missing_ok=True)

    def write(self, database: Path, files: Sequence[LakeFile]) -> None:
        """Make a database over some files of the lake."""
        database.unlink(missing_ok=True)
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with duckdb.connect(str(database)) as con:
            self.fill(con, files)


def rule_print(rule: Rule) -> str:
    """A fingerprint of what a rule asks and says; a changed rule has another."""
    return hashlib.sha256(rule.model_dump_json().encode()).hexdigest()[:16]


def outdated(holds: Iterable[Hold], limits: Limits | None = None) -> list[str]:
    """Deliveries held by a rule that asks something else now, or is gone or only warns; they are to be judged anew."""
    prints = _prints(limits)
    return [
        hold.delivery_id
        for hold in holds
        if any(prints.get(rule.rule_id) != rule.print for rule in hold.rules)
    ]


def broken_by_delivery(bench: Bench) -> dict[str, list[HeldRule]]:
    """The new deliveries that break blocking rules of their feed, each with the rules; empty where all is well.

    A rule that fails also without every new delivery is explained by none of them: it is left to the gate, which then
    stops the release. What the operator put back is not set back again for the same rules.
    """
    found: dict[str, list[HeldRule]] = {}
    while True:
        # Setting one back may bring into force an earlier one that is as new and as bad.
        new = {f.feed_id for f in bench.ledger.current_files(without=found) if _is_new(bench, f)}
        suites = _lake_suites(bench.limits, new)
        failing = bench.failing(suites, found) if suites else set()
        blamed: dict[str, list[HeldRule]] = {}
        for suite in suites:
            failed = _only(suite, failing)
            if failed is not None:
                blamed |= _blame(bench, failed, found)
        if not blamed:
            return found | _drifted(bench, found)
        found |= blamed


def _blame(bench: Bench, suite: Suite, held: Collection[str]) -> dict[str, list[HeldRule]]:
    """Put a feed's new deliveries in force one by one, in their order; each that breaks a rule stays out."""
    feed = suite.table.removeprefix(_LAKE)
    files = [f for f in bench.ledger.current_files(without=held) if f.feed_id == feed and _is_new(bench, f)]
    out = {
        row["delivery_id"]
        for row in bench.ledger.delivery_rows()
        if row["feed_id"] == feed and row["delivery_id"] not in bench.released
    } | set(held)
    asked = _only(suite, {rule.id for rule in suite.rules} - bench.failing([suite], out))
    blamed: dict[str, list[HeldRule]] = {}
    for _, delivery_id in sorted({(file.delivery_seq, file.delivery_id) for file in files}):
        if asked is None:
            break
        broken = bench.failing([asked], out - {delivery_id})
        spared = broken & _spared(bench, delivery_id)
        if broken - spared:
            blamed[delivery_id] = [_held(rule, suite) for rule in asked.rules if rule.id in broken - spared]
            continue
        out.discard(delivery_id)
        # From here on these rules fail whatever comes, so they say nothing of the others.
        asked = _only(asked, {rule.id for rule in asked.rules} - spared)
    return blamed


def _drifted(bench: Bench, held: Collection[str]) -> dict[str, list[HeldRule]]:
    """New snapshots that are too unlike what they replace, and that the operator did not put back for that."""
    now = bench.ledger.current_files(without=held)
    new = {file.delivery_id for file in now if _is_new(bench, file) and _is_snapshot(bench.ledger, file)}
    kept = {file.path for file in now}
    replaced = [f for f in bench.ledger.current_files(without={*held, *new}) if f.path not in kept]
    if not replaced:
        return {}
    earlier = bench.database.with_name("earlier.duckdb")
    try:
        bench.write(earlier, replaced)
        bench.write(bench.database, [file for file in now if file.delivery_id in new])
        with duckdb.connect(str(bench.database)) as con:
            con.execute(f"attach {sql_literal(str(earlier))} as earlier (read_only)")
            broken = drifted(con, {file.feed_id for file in replaced}, bench.limits)
    finally:
        bench.database.unlink(missing_ok=True)
        earlier.unlink(missing_ok=True)
    left = {
        delivery_id: [
            HeldRule(rule.id, rule.print, rule.why, rule.fix, rule.owner)
            for rule in rules
            if rule.id not in _spared(bench, delivery_id)
        ]
        for delivery_id, rules in broken.items()
    }
    return {delivery_id: rules for delivery_id, rules in left.items() if rules}


def _is_snapshot(ledger: Ledger, file: LakeFile) -> bool:
    delivery = ledger.find(file.delivery_id)
    return delivery is not None and delivery.mode.endswith("snapshot")


def _prints(limits: Limits | None) -> dict[str, str]:
    """Fingerprints of all rules that can hold a delivery, by id."""
    of_suites = {rule.id: rule_print(rule) for suite in _lake_suites(limits) for rule in suite.rules}
    return of_suites | {rule.id: rule.print for rule in load_drift_rules(limits)}


def _spared(bench: Bench, delivery_id: str) -> set[str]:
    prints = _prints(bench.limits)
    return {
        rule.rule_id
        for hold in bench.ledger.released_holds()
        for rule in hold.rules
        if hold.delivery_id == delivery_id and prints.get(rule.rule_id) == rule.print
    }


def _is_new(bench: Bench, file: LakeFile) -> bool:
    return file.delivery_id not in bench.released


def _lake_suites(limits: Limits | None, feeds: Collection[str] | None = None) -> list[Suite]:
    """The suites of feeds, of all when none are named, with their blocking rules alone."""
    suites = [s for s in load_suites(limits) if s.table.startswith(_LAKE)]
    wanted = [s for s in suites if feeds is None or s.table.removeprefix(_LAKE) in feeds]
    narrowed = (_only(s, {rule.id for rule in s.rules if rule.severity == "block"}) for s in wanted)
    return [suite for suite in narrowed if suite is not None]


def _only(suite: Suite, rule_ids: Collection[str]) -> Suite | None:
    rules = [rule for rule in suite.rules if rule.id in rule_ids]
    return suite.model_copy(update={"rules": rules}) if rules else None


def _held(rule: Rule, suite: Suite) -> HeldRule:
    return HeldRule(rule.id, rule_print(rule), rule.why, rule.fix, rule.owner or suite.owner)
