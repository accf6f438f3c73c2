"""Load the shipped dashboard into a running Superset, over the published tables of a community.

What belongs here: making Superset's import layout of `dashboard.yml`, and handing it to Superset's API. What does not: what
the dashboard shows (`dashboard.yml`). Needs PyYAML alone, so that it runs in either environment; run again, it replaces.

Run: python deploy/superset/load_dashboard.py --superset http://127.0.0.1:8088 --data demo/data/releases/current/throughline.duckdb
     python deploy/superset/load_dashboard.py --superset http://127.0.0.1:8088 --data postgresql://reader@host/db
The password of Superset's account is read from SUPERSET_PASSWORD, that of the database from READER_PASSWORD.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import urllib.error
import urllib.request
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent
# Names of things of ours are the same at every loading, so that loading again replaces them.
_OURS = uuid.UUID("7f0f1a52-2f0f-4f0e-9a64-0d7c6f1f6b11")
_VERSION = "1.0.0"
_TYPES = {"text": "VARCHAR", "number": "DOUBLE", "flag": "BOOLEAN", "date": "DATE"}
_KINDS = {"table": "table", "line": "echarts_timeseries_line", "pivot": "pivot_table_v2"}
_ROW_LIMIT = 10_000
_SCHEMA = "throughline"  # of the views in PostgreSQL


class LoadError(Exception):
    """Superset refused, or is not there; the message says what to do."""


def bundle(description: dict[str, Any], data: str) -> bytes:
    """Superset's import layout as a ZIP.

    Args:
        description: `dashboard.yml` as read.
        data: path of the release's DuckDB file, or a PostgreSQL URL.
    """
    is_file = "://" not in data
    uri = f"duckdb:///{Path(data).absolute()}" if is_file else data
    schema = "main" if is_file else _SCHEMA
    arguments = {"read_only": True} if is_file else {"options": f"-csearch_path={_SCHEMA}"}
    files: dict[str, Any] = {
        "metadata.yaml": {"version": _VERSION, "type": "assets", "timestamp": datetime.now(UTC).isoformat()},
        "databases/throughline.yaml": {
            "database_name": "Throughline",
            "sqlalchemy_uri": uri,
            "expose_in_sqllab": True,
            "allow_dml": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_file_upload": False,
            "extra": {"engine_params": {"connect_args": arguments}},
            "uuid": _uuid("database"),
            "version": _VERSION,
        },
    }
    for name, dataset in description["datasets"].items():
        files[f"datasets/throughline/{name}.yaml"] = _dataset(name, dataset, schema)
    for name, chart in description["charts"].items():
        files[f"charts/{name}.yaml"] = _chart(name, chart)
    files["dashboards/throughline.yaml"] = _dashboard(description)
    return _zipped(files)


def _uuid(name: str) -> str:
    return str(uuid.uuid5(_OURS, name))


def _dataset(name: str, dataset: dict[str, Any], schema: str) -> dict[str, Any]:
    return {
        "table_name": name,
        "description": dataset["about"],
        "schema": schema,
        "sql": dataset["sql"],
        "filter_select_enabled": True,
        "columns": [
            {
                "column_name": column,
                "type": _TYPES[kind],
                "is_dttm": kind == "date",
                "groupby": True,
                "filterable": True,
            }
            for column, kind in dataset["columns"].items()
        ],
        "metrics": [
            {"metric_name": metric, "expression": expression, "d3format": form}
            for metric, (expression, form) in dataset.get("metrics", {}).items()
        ],
        "uuid": _uuid(f"dataset {name}"),
        "database_uuid": _uuid("database"),
        "version": _VERSION,
    }


def query_of(chart: dict[str, Any]) -> dict[str, Any]:
    """The chart's one question, as Superset's API asks it."""
    if chart["kind"] == "table":
        # Without the key `metrics` the rows are shown as they are.
        asked = {"columns": chart["columns"], "orderby": [[name, True] for name in chart["order"]]}
    else:
        columns = (
            [chart["x"], *chart["by"]] if chart["kind"] == "line" else [*chart["rows"], *chart["columns"]]
        )
        asked = {"columns": columns, "metrics": chart["metrics"], "orderby": [[columns[0], True]]}
    return {**asked, "filters": [], "extras": {"where": chart.get("where", "")}, "row_limit": _ROW_LIMIT}


def _chart(name: str, chart: dict[str, Any]) -> dict[str, Any]:
    kind = _KINDS[chart["kind"]]
    where = {
        "adhoc_filters": [
            {
                "expressionType": "SQL",
                "clause": "WHERE",
                "sqlExpression": chart["where"],
                "filterOptionName": name,
            }
        ]
        if "where" in chart
        else []
    }
    params: dict[str, Any] = {"viz_type": kind, "row_limit": _ROW_LIMIT, **where}
    if chart["kind"] == "table":
        params |= {
            "show_cell_bars": False,
            "query_mode": "raw",
            "all_columns": chart["columns"],
            "order_by_cols": [json.dumps([n, True]) for n in chart["order"]],
        }
        params |= {
            "column_config": {n: {"d3NumberFormat": ".1%"} for n in chart["columns"] if n.endswith("_rate")}
        }
        params["column_config"] |= {
            n: {"d3NumberFormat": "d"} for n in chart["columns"] if n.endswith("_year")
        }
    elif chart["kind"] == "line":
        params |= {
            "x_axis": chart["x"],
            "groupby": chart["by"],
            "metrics": chart["metrics"],
            "markerEnabled": True,
        }
        params |= {
            "y_axis_format": ".0%",
            "x_axis_number_format": "d",
            "truncateXAxis": True,
            "seriesType": "line",
        }
        params |= {
            "show_legend": True,
            "legendOrientation": "bottom",
            "legendType": "scroll",
            "rich_tooltip": True,
        }
    else:
        params |= {
            "groupbyRows": chart["rows"],
            "groupbyColumns": chart["columns"],
            "metrics": chart["metrics"],
        }
        params |= {
            "aggregateFunction": "Maximum",
            "rowTotals": False,
            "colTotals": False,
            "valueFormat": "SMART_NUMBER",
        }
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query_of(chart)],
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart["title"],
        "viz_type": kind,
        "params": params,
        "query_context": json.dumps(context),
        "uuid": _uuid(f"chart {name}"),
        "dataset_uuid": _uuid(f"dataset {chart['dataset']}"),
        "version": _VERSION,
    }


def _dashboard(description: dict[str, Any]) -> dict[str, Any]:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": description["title"]}},
    }
    for number, row in enumerate(description["rows"]):
        row_id = f"ROW-{number}"
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "type": "ROW", "id": row_id, "parents": ["ROOT_ID", "GRID_ID"], "children": [f"CHART-{name}" for name in row],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }  # fmt: skip
        for name, width in row.items():
            position[f"CHART-{name}"] = {
                "type": "CHART", "id": f"CHART-{name}", "children": [], "parents": ["ROOT_ID", "GRID_ID", row_id],
                "meta": {"chartId": len(position), "width": width, "height": 60, "uuid": _uuid(f"chart {name}"), "sliceName": description["charts"][name]["title"]},
            }  # fmt: skip
    return {
        "dashboard_title": description["title"],
        "slug": description["slug"],
        "position": position,
        "metadata": {"color_scheme": "supersetColors", "refresh_frequency": 0},
        "published": True,
        "uuid": _uuid("dashboard"),
        "version": _VERSION,
    }


def _zipped(files: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(
                f"throughline/{name}", yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            )
    return buffer.getvalue()


class Superset:
    """A signed-in session with Superset's API.

    Raises:
        LoadError: it is not there, or does not know the account.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        if not address.startswith(("http://", "https://")):
            raise LoadError(f"{address} is no address of a Superset; give it as http://127.0.0.1:8088.")
        self._address, self._headers = address.rstrip("/"), {"Referer": address}
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        signed = self.call("security/login", {"username": user, "password": password, "provider": "db"})
        self._headers["Authorization"] = f"Bearer {signed['access_token']}"
        self._headers["X-CSRFToken"] = self.call("security/csrf_token/")["result"]

    def call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """GET, or POST with a body, below /api/v1."""
        data = json.dumps(body).encode() if body is not None else None
        return self._open(path, data, "application/json")

    def load(self, archive: bytes, passwords: dict[str, str]) -> None:
        """Import assets; what was imported before is replaced."""
        boundary = uuid.uuid4().hex
        fields = {"passwords": json.dumps(passwords), "sparse": "false"}
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode()
            for n, v in fields.items()
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="bundle"; filename="throughline.zip"\r\n'
        )
        parts += [
            f"{head}Content-Type: application/zip\r\n\r\n".encode(),
            archive,
            f"\r\n--{boundary}--\r\n".encode(),
        ]
        self._open("assets/import/", b"".join(parts), f"multipart/form-data; boundary={boundary}")

    def _open(self, path: str, data: bytes | None, kind: str) -> dict[str, Any]:
        headers = self._headers | ({"Content-Type": kind} if data is not None else {})
        request = urllib.request.Request(f"{self._address}/api/v1/{path}", data, headers)  # noqa: S310 - checked above
        try:
            with self._opener.open(request, timeout=120) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise LoadError(
                f"Superset refused {path} ({error.code}): {error.read().decode('utf-8', 'replace')[:2000]}"
            ) from None
        except (urllib.error.URLError, TimeoutError) as error:
            raise LoadError(
                f"No Superset answers at {self._address} ({error}); start it with `make superset`."
            ) from None


def main() -> int:
    """Load the dashboard, and say where it is."""
    parser = argparse.ArgumentParser(description="Load the shipped dashboard into a running Superset.")
    parser.add_argument("--superset", default="http://127.0.0.1:8088", help="Address of Superset.")
    parser.add_argument("--user", default="admin", help="Account that may import.")
    parser.add_argument(
        "--data", required=True, help="DuckDB file of the current release, or a PostgreSQL URL."
    )
    chosen = parser.parse_args()
    if "://" not in chosen.data and not Path(chosen.data).is_file():
        print(
            f"{chosen.data}: no such file; give data/releases/current/throughline.duckdb of the community.",
            file=sys.stderr,
        )
        return 1
    description = yaml.safe_load((_HERE / "dashboard.yml").read_text(encoding="utf-8"))
    password = os.environ.get("READER_PASSWORD")
    try:
        session = Superset(chosen.superset, chosen.user, os.environ.get("SUPERSET_PASSWORD", ""))
        session.load(
            bundle(description, chosen.data), {"databases/throughline.yaml": password} if password else {}
        )
    except LoadError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{chosen.superset.rstrip('/')}/superset/dashboard/{description['slug']}/ shows the present release."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
