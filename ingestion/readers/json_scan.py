"""A walk through a JSON document that holds one record at a time; text of numbers is kept as it stood.

What belongs here: positions and values. What does not: what a record is (`json_records`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from ingestion.readers.model import UnreadableFileError

_BLANKS = " \t\n\r"


class RepeatedNames(dict[str, Any]):
    """An object that has a name twice, of which JSON says nothing and most readers keep the last."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else RepeatedNames(found)


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str)


class JsonScan:
    """A position in a document.

    Whoever goes through `members` or `elements` takes each value, by `value` or by going through it in turn, before
    the next one is asked for.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 1

    @property
    def line(self) -> int:
        """Line of the position, from 1."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        text, at = self._text, self._at
        while at < len(text) and text[at] in _BLANKS:
            at += 1
        self._at = at
        return text[at] if at < len(text) else ""

    def value(self) -> Any:
        """The whole value at the position.

        Raises:
            UnreadableFileError: there is none, or it is nested too deep.
        """
        self.peek()
        try:
            found, self._at = DECODER.raw_decode(self._text, self._at)
        except RecursionError:
            raise too_deep(self.line) from None
        except ValueError:
            raise self._broken() from None
        return found

    def members(self) -> Iterator[str]:
        """Names of an object's members, the position on the value of each."""
        self._take("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise self._broken()
            try:
                name, self._at = scanstring(self._text, self._at + 1, True)
            except ValueError:
                raise self._broken() from None
            self._take(":")
            yield name
            if self._closes("}"):
                return

    def elements(self) -> Iterator[None]:
        """A stop at every element of an array."""
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield None
            if self._closes("]"):
                return

    def finish(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self._broken()

    def _take(self, mark: str) -> None:
        if self.peek() != mark:
            raise self._broken()
        self._at += 1

    def _closes(self, mark: str) -> bool:
        found = self.peek()
        if found not in (mark, ","):
            raise self._broken()
        self._at += 1
        return found == mark

    def _broken(self) -> UnreadableFileError:
        return UnreadableFileError(
            "broken_document",
            f"It is no whole JSON document: reading stopped at line {self.line:,}.",
            "Export and send the whole file again.",
        )


def too_deep(line: int) -> UnreadableFileError:
    """The refusal of a document nested beyond the limit."""
    return UnreadableFileError(
        "too_deep", f"Its values are nested too deep (line {line:,}).", "Send a flatter document."
    )
