"""The parts of a workbook that say what it has: sheets, where they lie, shared texts."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from posixpath import join, normpath
from typing import Any
from xml.parsers import expat

from demeter.core.notices import Notice
from demeter.core.tabular.cells import EPOCH, EPOCH_1904
from demeter.core.tabular.errors import TableRefused, too_large

MOST_SHEETS = 200
MOST_TEXTS = 500_000  # shared


class Part:
    """A part that is only copied; others look at its elements."""

    def parser(self) -> expat.XMLParserType:
        """What the part's bytes are fed to."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.CommentHandler = self.comment
        parser.StartDoctypeDeclHandler = _handler_that_refuses("DOCTYPE")
        parser.StartCdataSectionHandler = _handler_that_refuses("CDATA")  # calamine leaves it out
        return parser

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, element: str) -> None:
        """An element ends."""

    def characters(self, words: str) -> None:
        """Text within an element, or a piece of it."""

    def comment(self, words: str) -> None:
        """A comment, of which the reader makes the end of a value."""


class WorkbookPart(Part):
    """Names, relations and visibility of the sheets, and day 0 of the dates."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.epoch: date = EPOCH

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        """Look for sheets and the kind of dates.

        Raises:
            TableRefused: there are too many sheets, or two of one name.
        """
        match local_name(element):
            case "workbookPr":
                if attributes.get("date1904") in ("1", "true"):
                    self.epoch = EPOCH_1904
            case "sheet":
                self._add_sheet(attributes)

    def _add_sheet(self, attributes: Mapping[str, str]) -> None:
        relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
        is_hidden = attributes.get("state", "visible") != "visible"
        name = attributes.get("name", "")
        if len(self.sheets) == MOST_SHEETS:
            raise too_large(MOST_SHEETS, "sheets")
        if any(name.lower() == other.lower() for other, _, _ in self.sheets):
            raise TableRefused.because(Notice("two_sheets", {"name": name[:40]}))
        self.sheets.append((name, relation, is_hidden))


class RelationsPart(Part):
    """Where the parts of the workbook lie."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self._kinds: dict[str, str] = {}

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        """Look for relations."""
        if local_name(element) == "Relationship":
            relation, target = attributes["Id"], attributes["Target"]
            self.targets[relation] = normpath(join("/xl", target))[1:]
            self._kinds[relation] = attributes.get("Type", "").rpartition("/")[2]

    def is_worksheet(self, relation: str) -> bool:
        """Whether it is a sheet of cells: not of a chart, a dialogue or macros.

        Raises:
            KeyError: the workbook names a sheet that it does not have.
        """
        return self._kinds[relation] == "worksheet"


class SharedTextsPart(Part):
    """How long each shared text is."""

    def __init__(self) -> None:
        self.lengths = array("L")
        self._is_text = self._is_phonetic = False

    def start(self, element: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002
        """Look for texts.

        Raises:
            TableRefused: there are too many.
        """
        match local_name(element):
            case "si":
                if len(self.lengths) == MOST_TEXTS:
                    raise too_large(MOST_TEXTS, "texts")
                self.lengths.append(0)
            case "t":
                self._is_text = not self._is_phonetic
            case "rPh":
                self._is_phonetic = True

    def end(self, element: str) -> None:
        """Look for the end of texts."""
        match local_name(element):
            case "t":
                self._is_text = False
            case "rPh":
                self._is_phonetic = False

    def characters(self, words: str) -> None:
        """Measure a text."""
        if self._is_text and self.lengths:
            self.lengths[-1] += len(words.strip())

    def comment(self, words: str) -> None:  # noqa: ARG002
        """Refuse a text that is cut in two.

        Raises:
            TableRefused: it is.
        """
        if self._is_text:
            raise damage("<!-- -->")


@lru_cache(maxsize=256)
def local_name(element: str) -> str:
    """An element's name without its prefix."""
    return element.rpartition(":")[2]


def damage(why: str, **place: Any) -> TableRefused:
    """The workbook is not as a spreadsheet writes it, and not read as it may be meant."""
    return TableRefused.because(Notice("broken_file", {"why": why}), **place)


def _handler_that_refuses(what: str) -> Callable[..., None]:
    def refuse(*_: Any) -> None:
        raise damage(what)

    return refuse
