"""`throughline inspect`: any supported file as plain UTF-8 CSV, with what was found on the way.

What belongs here: arguments, writing and printing. What does not: reading (`ingestion.readers`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.console import JsonOption, console

if TYPE_CHECKING:
    from ingestion.onboarding.columns import ColumnShape
    from ingestion.readers.model import Limits, ReadHints, ReadResult

# Above this size a file goes the fast way, which holds a dialect to be the same throughout.
_CAREFUL_BYTES = 64_000_000
_BATCH = 50_000
_PREVIEW = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "inspect",
        epilog="Examples: `throughline inspect export.csv`; `throughline inspect book.xlsx --sheet Grades --to grades.csv`; "
        "`throughline inspect export.csv --columns`",
    )(inspect)


def inspect(
    file: Annotated[Path, typer.Argument(help="The file, in any supported format.")],
    to: Annotated[Path | None, typer.Option(help="Write the table to this CSV file.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Known delimiter.")] = None,
    quote: Annotated[str | None, typer.Option(help="Known quote; empty for none.")] = None,
    escape: Annotated[str | None, typer.Option(help="Known character before a quote inside a cell.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Known encoding.")] = None,
    comment: Annotated[str | None, typer.Option(help="Lines that start with it are comments.")] = None,
    line_end: Annotated[str | None, typer.Option(help=r"Known line end: \n, \r\n, \r or another.")] = None,
    skip_lines: Annotated[int, typer.Option(min=0, help="Lines to pass over at the start.")] = 0,
    width: Annotated[int | None, typer.Option(min=1, help="Known number of columns.")] = None,
    long_records: Annotated[
        str, typer.Option(help="Records longer than the header: refuse, or keep in columns of their own.")
    ] = "refuse",
    header_row: Annotated[int | None, typer.Option(help="Line of the header, from 0.")] = None,
    header_rows: Annotated[int | None, typer.Option(help="Rows of the header; 0 for none.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet by name or number, from 0.")] = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="Tell of each column its type, counts and shapes, and no value.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read a file as a delivery would be read, store nothing, and say what it is.

    Cells are text as it stood. Exits with 1 when the file is refused as a whole, with the reason and the fix.
    """
    from ingestion.readers.model import Limits, ReadHints, UnreadableFileError

    known = {
        "delimiter": _unescaped(delimiter),
        "quote": quote,
        "escape": escape,
        "encoding": encoding,
        "comment": comment,
        "line_end": _unescaped(line_end),
        "skip_lines": skip_lines,
        "width": width,
        "long_records": long_records,
        "header_row": header_row,
        "header_rows": header_rows,
        "sheet": int(sheet) if sheet is not None and sheet.isdigit() else sheet,
    }
    if long_records not in ("refuse", "keep"):
        raise typer.BadParameter("--long-records is refuse or keep")
    if not file.is_file():
        raise typer.BadParameter(f"no such file: {file}")
    try:
        if columns:
            _tell_columns(file, *_shapes(file, ReadHints.model_validate(known), Limits()), as_json=as_json)
            return
        report, rows = _read(file, ReadHints.model_validate(known), Limits())
        if to is not None:
            _write(to, report["columns"], rows)
        preview = [] if to is not None else _first(rows)
    except UnreadableFileError as error:
        _refuse(error.code, error.why, error.fix, as_json)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps({**report, "written": str(to) if to else None}, ensure_ascii=False, indent=1))
        return
    _tell(file, report, preview, to)


def _unescaped(text: str | None) -> str | None:
    r"""What a shell passes as `\t`, `\n` or `\r`, as the character meant."""
    if text is None:
        return None
    return text.replace("\\t", "\t").replace("\\r", "\r").replace("\\n", "\n")


def _read(file: Path, hints: ReadHints, limits: Limits) -> tuple[dict[str, Any], Iterable[Sequence[Any]]]:
    from ingestion.readers import format_of

    if (
        file.stat().st_size
        and format_of(file, hints) == "delimited"
        and file.stat().st_size <= _CAREFUL_BYTES
    ):
        return _read_text(file, hints, limits)
    return _read_any(file, hints, limits)


def _read_text(file: Path, hints: ReadHints, limits: Limits) -> tuple[dict[str, Any], list[list[str]]]:
    from ingestion.readers.careful import read_carefully

    found = read_carefully(file, hints, limits)
    dialect = found.dialect
    report = {
        "format": "delimited",
        "encoding": found.form.encoding,
        "dialect": {
            "delimiter": dialect.delimiter,
            "quote": dialect.quote,
            "escape": dialect.escape,
            "line_end": found.form.line_end,
        },
        "header": {"line": found.layout.header_line, "rows": found.layout.header_rows},
        "columns": found.layout.names,
        "physical_lines": found.physical_lines,
        "physical": found.layout.kinds,
        "records_read": len(found.rows) + len(found.refused),
        "records_refused": len(found.refused),
        "refused": [_refusal(record) for record in found.refused[:100]],
        "warnings": found.warnings,
    }
    return report, found.rows


def _read_any(
    file: Path, hints: ReadHints, limits: Limits
) -> tuple[dict[str, Any], Iterator[tuple[Any, ...]]]:
    from ingestion.readers import read
    from warehouse import duck

    con = duck.connect()
    report = _report(read(file, con, "source", hints, limits))

    def rows() -> Iterator[tuple[Any, ...]]:
        cursor = con.execute("select * exclude (_record) from source order by _record")
        while batch := cursor.fetchmany(_BATCH):
            yield from batch
        con.close()

    return report, rows()


def _report(found: ReadResult) -> dict[str, Any]:
    return {
        "format": found.format,
        "encoding": found.encoding,
        "dialect": found.dialect,
        "header": found.header,
        "columns": found.columns,
        "physical": found.physical,
        "records_read": found.records_read,
        "records_refused": found.refused_count,
        "refused": [_refusal(record) for record in found.refused],
        "warnings": found.warnings,
    }


def _shapes(file: Path, hints: ReadHints, limits: Limits) -> tuple[dict[str, Any], list[ColumnShape]]:
    from ingestion.onboarding.columns import column_shapes
    from ingestion.readers import read
    from warehouse import duck

    with duck.connect() as con:
        is_careful = file.stat().st_size <= _CAREFUL_BYTES
        found = read(file, con, "source", hints, limits, careful=is_careful)
        return _report(found), list(column_shapes(con, "source", found.columns))


def _tell_columns(file: Path, report: dict[str, Any], shapes: list[ColumnShape], *, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps({**report, "shapes": [asdict(s) for s in shapes]}, ensure_ascii=False, indent=1)
        )
        return
    from rich.markup import escape as plain
    from rich.table import Table

    _tell_report(file, report)
    table = Table(
        title="Columns (no value is shown: a and A a letter, 9 a digit, + a run of them)",
        title_justify="left",
    )
    for heading in ("column", "type", "filled", "distinct", "most frequent shapes"):
        table.add_column(heading, overflow="fold")
    for shape in shapes:
        kind = f"{shape.type} {shape.date_format}".strip() + (" (identifier)" if shape.is_identifier else "")
        told = "  |  ".join(shape.patterns)
        table.add_row(plain(shape.name), kind, f"{shape.filled:.1%}", f"{shape.distinct:,}", plain(told))
    console.print(table)


def _refusal(record: Any) -> dict[str, Any]:
    return {"line": record.line, "record": record.record, "reason": record.reason}


def _write(to: Path, columns: list[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write beside and rename, so that a reader never sees half a file."""
    beside = to.with_name(to.name + ".part")
    with beside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    beside.replace(to)


def _first(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    found = []
    for row in rows:
        found.append(row)
        if len(found) == _PREVIEW:
            break
    return found


def _refuse(code: str, why: str, fix: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"refused": True, "code": code, "why": why, "fix": fix}))
    else:
        typer.echo(f"throughline inspect: refused ({code}): {why} {fix}", err=True)


def _tell_report(file: Path, report: dict[str, Any]) -> None:
    from rich.markup import escape as plain

    console.print(f"[bold]{plain(file.name)}[/bold]: {report['format']} {report['encoding'] or ''}")
    told = ", ".join(f"{key} {value!r}" for key, value in report["dialect"].items())
    console.print(f"  {plain(told)}")
    if report["physical"]:
        console.print("  " + ", ".join(f"{count:,} {kind}" for kind, count in report["physical"].items()))
    console.print(f"  {report['records_read']:,} records read, {report['records_refused']:,} refused")
    for record in report["refused"][:10]:
        console.print(f"  [red]refused[/red] line {record['line']:,}: {plain(record['reason'])}")
    for item in report["warnings"]:
        console.print(f"  [yellow]{item['code']}[/yellow] {plain(item['why'])}")


def _tell(file: Path, report: dict[str, Any], preview: list[Sequence[Any]], to: Path | None) -> None:
    from rich.markup import escape as plain
    from rich.table import Table

    _tell_report(file, report)
    if to is not None:
        console.print(f"Written to {to}")
        return
    table = Table(title="First records (all as text)", title_justify="left")
    shown = report["columns"][:12]
    for name in shown:
        table.add_column(plain(name), overflow="fold")
    for row in preview:
        table.add_row(*(plain("" if cell is None else str(cell)) for cell in row[: len(shown)]))
    console.print(table)
    if len(report["columns"]) > len(shown):
        console.print(f"{len(report['columns']) - len(shown):,} more columns; write them all with --to FILE")
