"""`throughline link`: review pairs, measure linkage, explain a link.

What belongs here: arguments and printing. What does not: linkage (`warehouse.linkage`).
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast

import duckdb
import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community, tell
from warehouse import duck
from warehouse.community import Community
from warehouse.linkage.config import LinkageConfig
from warehouse.linkage.evaluation import Evaluation, EvaluationInputError, evaluate, read_mapping
from warehouse.linkage.review import (
    SHOWN,
    Decision,
    ReviewPair,
    agreement,
    pending,
    queue_length,
    record_decision,
)
from warehouse.linkage.review_page import ReviewServer
from warehouse.settings import Settings
from warehouse.vault import attach_vault

link_app = typer.Typer(help="Which records are one person: review, quality, truth.", no_args_is_help=True)
_ANSWERS = {"y": "match", "n": "non_match", "u": "unsure"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from orchestration.cli import link_tools

    link_tools.register(link_app)
    app.add_typer(link_app, name="link")


@contextmanager
def open_vault(community: Community, purpose: str, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the vault attached, closed at the end."""
    con = duck.connect(temp_directory=community.paths.temp / "linkage")
    try:
        attach_vault(con, community.paths, Settings(), purpose=purpose, read_only=read_only)
        yield con
    finally:
        con.close()


@link_app.command(
    "evaluate", epilog="Example: `throughline link evaluate a.csv b.csv --mapping map.yml --truth pairs.csv`"
)
def evaluate_command(
    left: Annotated[Path, typer.Argument(help="CSV file with a header.")],
    right: Annotated[
        Path | None, typer.Argument(help="Second CSV file; without it the first is linked with itself.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping",
            "-m",
            help="YAML: column -> identifier (id, first_name, birth_date, ...); default: by header.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth", "-t", help="CSV: two ids a line that are one person, or an id and its person."
        ),
    ] = None,
    errors: Annotated[
        Path | None, typer.Option("--errors", help="Where to list wrong and missed pairs by the files' ids.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Link files with known truth by the settings as shipped; print precision, recall, F1, time and errors by kind.

    The mapping names for each column the identifier that it holds; two columns of one identifier are joined, and
    `left:` and `right:` hold what only one file calls so. Instead of a truth file, a column of the data that says who
    each record is may be mapped as `true_person`. `one_to_one: {left: true, right: false}` says whether a file holds a
    person once, `date_format: "%d.%m.%Y"` how dates are written; both are found out where they are left out.
    """
    try:
        found = read_mapping(mapping) if mapping else None
        result = evaluate(left, right, found, truth, LinkageConfig(), errors)
    except EvaluationInputError as error:
        console.print(f"throughline: {error}")
        raise typer.Exit(1) from None
    if as_json:
        shown = asdict(result) | {"precision": result.precision, "recall": result.recall, "f1": result.f1}
        console.print_json(json.dumps(shown))
        return
    _print_evaluation(result)


def _print_evaluation(result: Evaluation) -> None:
    table = Table(show_header=False, box=None)
    for name, value in (
        ("records", f"{result.records:,}"),
        (
            "files that hold a person once",
            ", ".join(s for s, once in result.one_to_one.items() if once) or "none",
        ),
        ("true pairs", f"{result.true_pairs:,}"),
        ("linked pairs", f"{result.found_pairs:,}"),
        ("precision", f"{result.precision:.5f}"),
        ("recall", f"{result.recall:.5f}"),
        ("F1", f"{result.f1:.5f}"),
        ("pairs left to review", f"{result.in_review:,}"),
        ("F1 with perfect review", f"{result.reviewed_f1:.5f}"),
        ("time", f"{result.seconds:.2f} s"),
    ):
        table.add_row(name, value)
    console.print(table)
    if result.unknown_ids:
        console.print(f"{result.unknown_ids:,} ids of the truth are in no file; their pairs are left out.")
    for title, kinds in (("False links", result.false_by_kind), ("Missed pairs", result.missed_by_kind)):
        told = ", ".join(f"{kind} {count:,}" for kind, count in kinds.items()) or "none"
        console.print(f"{title}: {told}")


@link_app.command(
    "review", epilog="Examples: `throughline link review --limit 10`, `throughline link review --page`"
)
def review(
    directory: CommunityOption = None,
    limit: Annotated[int, typer.Option(help="Pairs to show.")] = 20,
    reviewer: Annotated[
        str | None, typer.Option(help="Who decides; default: the user of this machine.")
    ] = None,
    show_score: Annotated[
        bool,
        typer.Option(
            help="Show the model's probability (on the page the weights too), which sways a reviewer."
        ),
    ] = False,
    page: Annotated[
        bool, typer.Option("--page", help="Review in a browser on this machine instead.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")] = 0,
) -> None:
    """Decide pairs in the grey zone one by one: y same person, n different, u unsure, q quit.

    Decisions are kept and obeyed by every later linkage. Names appear only in this terminal, or on a page of this machine
    alone, whose address holds a secret.
    """
    community, who = open_community(directory), reviewer or getpass.getuser()
    with open_vault(community, "review of pairs", read_only=False) as con:
        if page:
            _serve(ReviewServer(con, who, Settings().clock, port=port, show_score=show_score))
            return
        pairs = pending(con, limit)
        if not pairs:
            console.print("Nothing waits for review.")
            return
        for number, pair in enumerate(pairs, 1):
            console.print(
                _pair_table(pair, f"{number} of {len(pairs)}: {pair.reason}", show_score=show_score)
            )
            answer = typer.prompt("same person? [y/n/u/q]", default="u").strip().lower()[:1]
            if answer == "q":
                break
            if answer in _ANSWERS:
                decision = cast(Decision, _ANSWERS[answer])
                record_decision(
                    con,
                    pair.left_key,
                    pair.right_key,
                    decision,
                    who,
                    Settings().clock(),
                )
    console.print("Decisions take effect with the next `throughline run`.")


def _serve(server: ReviewServer) -> None:
    console.print(
        f"Open {server.address} (only on this machine; the vault stays open until Ctrl-C).", soft_wrap=True
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    console.print(f"{server.decided:,} decisions kept. They take effect with the next `throughline run`.")


def _pair_table(pair: ReviewPair, title: str, *, show_score: bool) -> Table:
    table = Table(title=title, caption=f"probability {pair.probability:.2f}" if show_score else None)
    for heading in ("", pair.left_partner, pair.right_partner):
        table.add_column(heading)
    for name in SHOWN:
        left, right = pair.left[name], pair.right[name]
        if left or right:
            style = "green" if set(left) & set(right) else "yellow" if left and right else None
            table.add_row(name.replace("_", " "), " / ".join(left), " / ".join(right), style=style)
    return table


@link_app.command("decide", epilog="Example: `throughline link decide KEY1 KEY2 non_match`")
def decide_command(
    left: Annotated[str, typer.Argument(help="Source person key.")],
    right: Annotated[str, typer.Argument(help="The other source person key.")],
    decision: Annotated[str, typer.Argument(help="match, non_match or unsure.")],
    directory: CommunityOption = None,
    note: Annotated[str | None, typer.Option(help="Why, without identifiers.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Record one decision by key, also to undo a link."""
    if decision not in _ANSWERS.values():
        raise typer.BadParameter("match, non_match or unsure")
    with open_vault(open_community(directory), "decision on a pair", read_only=False) as con:
        try:
            record_decision(
                con, left, right, cast(Decision, decision), getpass.getuser(), Settings().clock(), note
            )
        except ValueError as error:
            console.print(f"throughline: {error}")
            raise typer.Exit(1) from None
    document = {"left": left, "right": right, "decision": decision}
    tell(as_json, document, "Kept. It takes effect with the next `throughline run`.")


@link_app.command("report", epilog="Example: `throughline link report --json`")
def report(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """How linkage stands: match rates by partner and stage, the queue, the last runs."""
    community = open_community(directory)
    with open_vault(community, "linkage report", read_only=True) as con:
        runs = con.execute(
            "select run_id, ran_at::varchar, mode, model_version, report::varchar from vault.linkage_run "
            "order by sequence desc limit 5"
        ).fetchall()
        waiting, (double, kappa) = queue_length(con), agreement(con)
    quality = community.paths.crosswalk / "linkage_quality.parquet"
    rows = duckdb.sql(f"from {duck.sql_literal(str(quality))}").fetchall() if quality.exists() else []
    if as_json:
        told = {
            "runs": [{"run_id": r, "at": at, "mode": m, "model": v, **json.loads(j)} for r, at, m, v, j in runs],
            "review": waiting, "double_reviewed": double, "kappa": kappa,
        }  # fmt: skip
        console.print_json(json.dumps(told))
        return
    table = Table(
        "partner", "stage", "records", "linked", "match rate", "grey zone", "est. precision", "est. recall"
    )
    for partner, stage, records, linked, match, grey, precision, recall in rows:
        shown = [f"{value:.4f}" if value is not None else "" for value in (match, grey, precision, recall)]
        table.add_row(partner, stage, f"{records:,}", f"{linked:,}", *shown)
    console.print(table)
    console.print("Waiting for review: " + (", ".join(f"{k} {n:,}" for k, n in waiting.items()) or "nothing"))
    if kappa is not None:
        console.print(f"Decided by two reviewers: {double:,} pairs, kappa {kappa:.2f}")
    for run_id, at, mode, version, _ in runs:
        console.print(f"{at[:19]}  {mode}  model {version or 'rules only'}  run {run_id}")
