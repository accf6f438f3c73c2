"""A web server and a mail server on loopback that keep what they were sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def web_server(status: int = 200) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The port, and the JSON documents that were posted."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], taken
        server.shutdown()


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 here")
        letter: list[str] = []
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word == b"DATA":
                self._say("354 go on")
                letter = []
                while (text := self.rfile.readline()) != b".\r\n":
                    letter.append(text.decode())
                self.server.letters.append("".join(letter))  # type: ignore[attr-defined]
            elif word == b"QUIT":
                self._say("221 bye")
                return
            self._say("250 good")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """The port, and the letters that were handed in."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], server.letters  # type: ignore[attr-defined]
        server.shutdown()
