"""A CSV file as rows: encodings, delimiters and line ends as people's programs write them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from functools import partial

from demeter.core.notices import Notice
from demeter.core.tabular.errors import TableRefused, too_large
from demeter.core.tabular.raw import MOST_COLUMN_NUMBER, MOST_ROW_NUMBER, RawRow, RawSheet
from demeter.core.tabular.remarks import Remark

DELIMITERS = ",;\t|"
MOST_ROW_TEXT = 1_000_000
_MARKS = (  # the longer one first: UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATOR = re.compile(r'"?sep=([^\w\r\n"])"?\s*', re.IGNORECASE)
# In Latin-1 and Windows-1252 alike these are letters and the signs ª ° º « »; a file of DOS or an
# old Macintosh, whose letters lie elsewhere, nearly always has some byte that is none of them.
_WESTERN = re.compile(rb"[\t\n\r\x20-\x7e\xaa\xab\xb0\xba\xbb\xc0-\xd6\xd8-\xf6\xf8-\xff]*")


def open_csv(content: bytes) -> tuple[list[RawSheet], Remark | None]:
    """A CSV file by each delimiter that it may have, and a warning where its encoding is assumed.

    A line `sep=;` decides the delimiter; it is no row.

    Raises:
        TableRefused: it is no text, or its encoding cannot be known.
    """
    encoding, warning = _encoding(content)
    with _text(content, encoding) as stream:
        separator = _SEPARATOR.fullmatch(stream.readline(20))
    delimiters = separator[1] if separator else DELIMITERS
    sheets = [
        RawSheet(None, partial(_rows, content, encoding, mark, bool(separator)), delimiter=mark)
        for mark in delimiters
    ]
    return sheets, warning


def _encoding(content: bytes) -> tuple[str, Remark | None]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if not _is_valid(content, encoding):
                notice = Notice("broken_encoding", {"encoding": encoding.upper()})
                raise TableRefused.because(notice)
            return encoding, None
    if b"\0" in content:
        return _unmarked_utf_16(content), None
    if _is_valid(content, "utf-8"):
        return "utf-8", None
    match = _WESTERN.match(content)
    assert match is not None  # it matches nothing, too
    if match.end() < len(content):
        line = content.count(b"\n", 0, match.end()) + 1
        raise TableRefused.because(Notice("unknown_encoding", {"line": line}))
    return "latin-1", Remark(Notice("encoding_assumed"))


def _unmarked_utf_16(content: bytes) -> str:
    """UTF-16 whose file does not say so: zeros stand at every other place of its first line.

    Raises:
        TableRefused: it is none.
    """
    for encoding, zeros, others in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        line = content[: content.find("\n".encode(encoding)) & ~1]
        is_plain = line and not any(line[zeros::2]) and all(line[others::2])
        if is_plain and _is_valid(content, encoding):
            return encoding
    raise TableRefused.because(Notice("no_table"))


def _is_valid(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), io.DEFAULT_BUFFER_SIZE):
            decoder.decode(content[start : start + io.DEFAULT_BUFFER_SIZE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _text(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")


def _rows(content: bytes, encoding: str, delimiter: str, has_separator: bool) -> Iterator[RawRow]:
    """Rows with their numbers, blank ones too.

    Raises:
        TableRefused: a quote is not closed, or there is more than a table may have.
    """
    with _text(content, encoding) as stream:
        lines = _Lines(stream)
        if has_separator:
            next(lines)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        for number in range(1, MOST_ROW_NUMBER + 2):
            lines.begin_row()
            row = _next_row(reader, number, lines.row_begins)
            if row is None:
                return
            if number > MOST_ROW_NUMBER:
                raise too_large(MOST_ROW_NUMBER, "rows")
            if len(row) > MOST_COLUMN_NUMBER:
                raise too_large(MOST_COLUMN_NUMBER, "columns", row=number)
            yield number, row


def _next_row(reader: Iterator[list[str]], number: int, line: int) -> Sequence[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise TableRefused.because(Notice("broken_quotes", {"line": line}), row=number) from error


class _Lines:
    """The lines of a file, as long as a row may be; knows where the present row begins."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._number = self._row_text = 0
        self.row_begins = 1

    def begin_row(self) -> None:
        self._row_text, self.row_begins = 0, self._number + 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(MOST_ROW_TEXT + 1)
        self._number += 1
        self._row_text += len(line)
        if self._row_text > MOST_ROW_TEXT:
            raise too_large(MOST_ROW_TEXT, "row_characters")
        if not line:
            raise StopIteration
        return line
