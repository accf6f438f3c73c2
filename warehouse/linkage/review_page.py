"""The queue of pairs as a page on this machine only: two records side by side, a decision, the next pair.

What belongs here: the page and its small server on the loopback address, behind a secret in its path. What does not: the
queue (`review.py`). Names go from memory to the reviewer's browser and are never stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import cast
from urllib.parse import parse_qs

import duckdb

from warehouse.linkage.explain import NoExplanationError, explain, waterfall_svg
from warehouse.linkage.review import SHOWN, Decision, ReviewPair, pending, record_decision

_STYLE = """body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}tr.same td{background:#e3f3ea}
tr.differs td{background:#fbeee0}button{font-size:1rem;padding:.5rem 1rem;margin:1rem .5rem 0 0}"""


class ReviewServer(HTTPServer):
    """Serves one reviewer; requests come one after another, as the vault has one connection."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        reviewer: str,
        clock: Callable[[], datetime],
        *,
        port: int = 0,
        show_score: bool = False,
    ) -> None:
        """Bind to the loopback address; port 0 takes a free one."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.con, self.reviewer, self.clock, self.show_score = con, reviewer, clock, show_score
        self.secret = secrets.token_urlsafe(24)
        self.decided = 0

    @property
    def address(self) -> str:
        """Where the page is; only who knows it can open it."""
        return f"http://127.0.0.1:{self.server_port}/{self.secret}/"


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer

    def do_GET(self) -> None:
        if not self._known():
            return
        pairs = pending(self.server.con, 1)
        self._send(_page(self.server, pairs[0]) if pairs else _layout("<p>Nothing waits for review.</p>"))

    def do_POST(self) -> None:
        if not self._known():
            return
        size = min(int(self.headers.get("Content-Length") or 0), 10_000)
        form = {key: values[0] for key, values in parse_qs(self.rfile.read(size).decode()).items()}
        if form.get("decision") in ("match", "non_match", "unsure"):
            try:
                record_decision(
                    self.server.con, form.get("left", ""), form.get("right", ""), cast(Decision, form["decision"]),
                    self.server.reviewer, self.server.clock(), form.get("note") or None,
                )  # fmt: skip
                self.server.decided += 1
            except ValueError as error:
                self._send(_layout(f"<p>{escape(str(error))}</p>"), 400)
                return
        self.send_response(303)
        self.send_header("Location", self.server.address)
        self.end_headers()

    def _known(self) -> bool:
        """Whether the request knows the secret, and came to this machine by its own name (no rebound DNS name)."""
        host = (self.headers.get("Host") or "").split(":")[0]
        given = self.path.strip("/")
        if host in ("127.0.0.1", "localhost") and secrets.compare_digest(
            given.encode(), self.server.secret.encode()
        ):
            return True
        self._send(_layout("<p>Not found.</p>"), 404)
        return False

    def _send(self, text: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
            ("Referrer-Policy", "no-referrer"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log: paths hold the secret."""


def _layout(body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Review of pairs</title><style>{_STYLE}</style>'
        f"</head><body><h1>Are these one person?</h1>{body}</body></html>"
    )


def _page(server: ReviewServer, pair: ReviewPair) -> str:
    rows = []
    for name in SHOWN:
        left, right = pair.left[name], pair.right[name]
        if left or right:
            kind = "same" if set(left) & set(right) else "differs" if left and right else "one"
            word = {"same": "same", "differs": "differs", "one": ""}[kind]
            rows.append(
                f'<tr class="{kind}"><th scope="row">{escape(name.replace("_", " "))}</th>'
                f"<td>{escape(' / '.join(left))}</td><td>{escape(' / '.join(right))}</td><td>{word}</td></tr>"
            )
    score = ""
    if server.show_score:
        score = f"<p>Probability by the model: {pair.probability:.2f}</p>"
        try:
            score += waterfall_svg(explain(server.con, pair.left_key, pair.right_key))
        except NoExplanationError:
            score += "<p>No model is in force.</p>"
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("left", pair.left_key), ("right", pair.right_key))
    )
    buttons = "".join(
        f'<button name="decision" value="{value}">{label}</button>'
        for value, label in (
            ("match", "Same person"),
            ("non_match", "Different people"),
            ("unsure", "Unsure"),
        )
    )
    return _layout(
        f"<p>{escape(pair.reason)}</p><table><thead><tr><th></th><th scope=col>{escape(pair.left_partner)}</th>"
        f"<th scope=col>{escape(pair.right_partner)}</th><th></th></tr></thead><tbody>{''.join(rows)}</tbody></table>{score}"
        f'<form method="post">{hidden}<label>Note, without names: <input name="note" maxlength="200"></label><br>{buttons}</form>'
    )
