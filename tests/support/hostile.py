"""Uploads, sheets and bodies that ask for more than they should get, built when asked for."""

# ruff: noqa: E501  tables are read by rows

from __future__ import annotations

import io
import itertools
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import uuid4

import numpy as np
from PIL import Image

from support import odd_pictures as odd
from support.pictures import bomb, encoded, picture

Content = bytes | Iterator[bytes]
MB = 1_000_000


@dataclass(frozen=True)
class Upload:
    """One photo, or what pretends to be one."""

    name: str
    make: Callable[[], bytes]


@dataclass(frozen=True)
class Sent:
    """One request: where it goes, and what its body is."""

    name: str
    path: str
    make: Callable[[], Content]
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


# -- Uploads ---------------------------------------------------------------------------------


def zeros(width: int, height: int, depth: int, kind: int, *, interlaced: bool = False) -> bytes:
    """A PNG of nothing but zeros, which packs a thousandfold."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    row = b"\0" * (1 + width * channels * depth // 8)
    packer = zlib.compressobj(6)
    data = b"".join(packer.compress(row * 64) for _ in range(0, height, 64)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    palette = ((b"PLTE", b"\0" * 768),) if kind == 3 else ()
    chunks = ((b"IHDR", head), *palette, (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(odd.png_chunk(*chunk) for chunk in chunks)


def many_scans(count: int, *, progressive: bool = True) -> bytes:
    """A JPEG whose last pass comes again and again."""
    body = encoded(Image.new("RGB", (4000, 3000), (80, 120, 60)), progressive=progressive)
    last = body.rindex(b"\xff\xda")
    return body[:last] + body[last:-2] * count + body[-2:]


def lying_jpeg(width: int, height: int) -> bytes:
    """A JPEG of a few pixels that says it has many."""
    body = bytearray(encoded(picture(64, 64)))
    frame = body.index(b"\xff\xc0")
    body[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(body)


def random_exif(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    block = odd.damaged(odd.exif_block(seed, orientation=seed % 10), rng)
    return odd.with_exif(block, image=picture(96, 64, seed))


def exif_year(year: str) -> bytes:
    tags = Image.Exif()
    tags.get_ifd(34665)[36867] = f"{year}:01:01 00:00:00"
    return encoded(picture(96, 64, seed=int(year)), exif=tags)


def looped_tiff() -> bytes:
    body = bytearray(odd.tiff(odd.page(64, 64), data=b"\x80" * 4096))
    body[-4:] = struct.pack("<I", 8 + 4096)
    return bytes(body)


def tiff_of_pages(count: int) -> bytes:
    return odd.tiff(*[odd.page(64, 64)] * count, data=b"\x80" * 4096)


def packed_tiff(width: int, height: int) -> bytes:
    """A TIFF of zeros in one packed strip."""
    data = zlib.compress(b"\0" * (width * height), 9)
    rows = [row for row in odd.page(width, height) if row[0] not in (259, 279)]
    rows += [(259, 3, 1, struct.pack("<H", 8)), (279, 4, 1, struct.pack("<I", len(data)))]
    return odd.tiff(rows, data=data)


def with_bomb(kind: bytes, head: bytes) -> bytes:
    packed = zlib.compress(b"\0" * (200 * MB), 9)
    return odd.with_png_chunk(encoded(picture(96, 64), "PNG"), kind, head + packed)


def animation(frames: int) -> bytes:
    images = [picture(96, 64, seed=n) for n in range(frames)]
    return odd.saved_pages("WEBP", *images)


def packed(name: str, size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"\0" * size)
    return out.getvalue()


def of_kind(kind: str) -> bytes:
    return encoded(picture(96, 64), kind)


UPLOADS = [
    Upload("film of 16,000 px", lambda: odd.animated_webp(16_000, 16_000)),
    Upload("film of 16,383 px", lambda: odd.animated_webp(16_383, 16_383)),
    Upload("film of 10,900 px", lambda: odd.animated_webp(10_900, 10_900)),
    Upload("film of 7,000 px", lambda: odd.animated_webp(7_000, 7_000)),
    Upload("film of 200 frames", lambda: animation(200)),
    Upload("bomb of 30,000 px", bomb),
    Upload("bomb of 10,900 px", lambda: bomb(10_900)),
    Upload("deep grey bomb", lambda: zeros(10_900, 10_900, 16, 0)),
    Upload("deep bomb", lambda: zeros(8_000, 8_000, 16, 6)),
    Upload("deep colour bomb", lambda: zeros(9_000, 9_000, 16, 2)),
    Upload("grey and clear bomb", lambda: zeros(8_000, 8_000, 16, 4)),
    Upload("palette bomb", lambda: zeros(10_000, 10_000, 8, 3)),
    Upload("interlaced bomb", lambda: zeros(6_000, 6_000, 16, 6, interlaced=True)),
    Upload("PNG of 2^62 px", lambda: odd.png(2**31 - 1, 2**31 - 1, (b"IDAT", b""))),
    Upload("PNG of 0 px", lambda: odd.png(0, 0, (b"IDAT", b""))),
    Upload("PNG without data", lambda: odd.png(640, 480)),
    Upload("PNG of no depth", lambda: odd.png(640, 480, (b"IDAT", b""), depth=3, kind=5)),
    Upload("PNG text bomb", lambda: with_bomb(b"zTXt", b"Comment\0\0")),
    Upload("PNG profile bomb", lambda: with_bomb(b"iCCP", b"profile\0\0")),
    Upload("PNG XMP bomb", lambda: with_bomb(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0")),
    Upload("PNG of 90,000 chunks", lambda: of_kind("PNG")[:33] + odd.png_chunk(b"tEXt", b"a\0b") * 90_000 + of_kind("PNG")[33:]),
    Upload("PNG that says it is a film", lambda: odd.with_png_chunk(of_kind("PNG"), b"acTL", b"\xff" * 8)),
    Upload("JPEG of 65,500 px", lambda: encoded(Image.new("L", (65_500, 64)))),
    Upload("tall JPEG", lambda: encoded(Image.new("L", (64, 65_500)))),
    Upload("JPEG that says 65,500 px", lambda: lying_jpeg(65_500, 65_500)),
    Upload("JPEG that says 10,900 px", lambda: lying_jpeg(10_900, 10_900)),
    Upload("JPEG of 3,000 passes", lambda: many_scans(3_000)),
    Upload("JPEG of 90 passes", lambda: many_scans(85)),
    Upload("half a JPEG", lambda: encoded(picture())[:7000]),
    Upload("JPEG without end", lambda: encoded(picture())[:-2]),
    Upload("heading of a JPEG", lambda: encoded(picture())[:400]),
    Upload("JPEG of one marker", lambda: b"\xff\xd8\xff"),
    Upload("JPEG of fillings", lambda: b"\xff\xd8" + b"\xff" * MB),
    Upload("JPEG of many notes", lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 200_000 + encoded(picture())[2:]),
    Upload("JPEG with an index of nonsense", lambda: odd.with_segment(encoded(picture()), 0xE2, b"MPF\0II*\0\xff\xff\xff\x7f")),
    Upload("JPEG with a torn profile", lambda: odd.with_segment(encoded(picture()), 0xE2, b"ICC_PROFILE\0\x09\x03" + b"\xff" * 99)),
    Upload("JPEG of CMYK", lambda: encoded(picture(96, 64).convert("CMYK"))),
    *(Upload(f"EXIF {seed}", lambda seed=seed: random_exif(seed)) for seed in range(8)),
    Upload("EXIF of year 1", lambda: exif_year("0001")),
    Upload("EXIF of year 9999", lambda: exif_year("9999")),
    Upload("EXIF in a circle", lambda: odd.with_exif(odd.tiff([(0x8769, 4, 1, b"\x08\0\0\0")]))),
    Upload("TIFF in a circle", looped_tiff),
    Upload("TIFF of 3,000 pages", lambda: tiff_of_pages(3_000)),
    Upload("TIFF of 2^62 px", lambda: odd.tiff(odd.page(2**31, 2**31))),
    Upload("TIFF bomb", lambda: packed_tiff(10_900, 10_900)),
    Upload("TIFF with odd tags", lambda: odd.tiff(odd.page(64, 64, (282, 2, 4, b"72\0\0"), (700, 1, 2**31, b"\xff" * 4)), data=b"\x80" * 4096)),
    Upload("TIFF of 4,000,000,000 samples", lambda: odd.tiff([r for r in odd.page(64, 64) if r[0] != 277] + [(277, 4, 1, b"\xff" * 4)], data=b"\x80" * 4096)),
    Upload("heading of a TIFF", lambda: b"II*\0\xff\xff\xff\xff"),
    Upload("heading of a large TIFF", lambda: b"MM\0+\0\x08\0\0" + b"\xff" * 8),
    Upload("TIFF of numbers", lambda: encoded(Image.new("F", (96, 64)), "TIFF")),
    Upload("DNG", lambda: odd.tiff([*odd.page(64, 64), (50706, 1, 4, b"\1\4\0\0")], data=b"\0" * 4096)),
    Upload("CR2", lambda: b"II*\0\x10\0\0\0CR\2\0" + b"\xff" * 5000),
    Upload("CR3", lambda: odd.isobmff(b"crx ", b"isom", rest=b"\xff" * 5000)),
    Upload("RAF", lambda: b"FUJIFILMCCD-RAW 0201" + b"\0" * 5000),
    Upload("ORF", lambda: b"IIRO\x08\0\0\0" + b"\xff" * 5000),
    Upload("HEIC without anything", lambda: odd.isobmff(b"heic", b"mif1")),
    Upload("HEIC of nonsense", lambda: odd.isobmff(b"heix", b"mif1", rest=b"\xff" * 5000)),
    Upload("film of HEIC", lambda: odd.isobmff(b"hevc", b"msf1", rest=b"\0\0\0\x08moov")),
    Upload("HEIC that is an AVIF", lambda: odd.rebranded(of_kind("AVIF"), b"heic", b"mif1")),
    Upload("AVIF by another brand", lambda: odd.rebranded(of_kind("AVIF"), b"MA1B", b"miaf")),
    Upload("half an AVIF", lambda: of_kind("AVIF")[: len(of_kind("AVIF")) // 2]),
    Upload("half a WebP", lambda: of_kind("WEBP")[: len(of_kind("WEBP")) // 2]),
    Upload("WebP of nothing", odd.riff),
    Upload("WebP of 2^32 bytes", lambda: b"RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff" + b"\0" * 99),
    Upload("SVG", lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9e9' height='9e9'/>"),
    Upload("PDF", lambda: b"%PDF-1.7\n" + b"\0" * 5000),
    Upload("zip bomb", lambda: packed("photo.jpg", 300 * MB)),
    Upload("GIF", lambda: of_kind("GIF")),
    Upload("BMP", lambda: of_kind("BMP")),
    Upload("EPS", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9999 9999\n"),
    Upload("nothing", lambda: b""),
    Upload("one byte", lambda: b"\xff"),
    Upload("one pixel", lambda: encoded(Image.new("RGB", (1, 1)))),
    Upload("zeros of 50 MB", lambda: b"\0" * (50 * MB)),
    Upload("a photo with 49 MB behind it", lambda: encoded(picture()) + b"\0" * (49 * MB)),
    Upload("more than 50 MB", lambda: encoded(picture()) + b"\0" * (51 * MB)),
]  # fmt: skip

# -- Sheets and bodies -----------------------------------------------------------------------

COUNTS, MOVES, PERIODS = "/api/v1/stock/counts", "/api/v1/stock/movements", "/api/v1/periods"
SHEETS, PHOTO = "/api/v1/stock/count-sheets", "/api/v1/stock/photo"
SALES = "/api/v1/periods/2026-10/sales"
CORRECT = f"/api/v1/photos/sessions/{uuid4()}/corrections"
EDGE = "x7c0ffee"
FORM = {"content-type": f"multipart/form-data; boundary={EDGE}"}


def part(name: str, data: bytes, file: str | None = None) -> bytes:
    """One field of a form."""
    named = f'; filename="{file}"'.encode() if file is not None else b""
    head = b'Content-Disposition: form-data; name="' + name.encode() + b'"' + named
    return b"--" + EDGE.encode() + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + EDGE.encode() + b"--\r\n"


def sheet(data: bytes, file: str = "sheet.xlsx") -> bytes:
    """A filled count sheet as a form."""
    return form(part("movement_id", str(uuid4()).encode()), part("file", data, file))


def stream(megabytes: int, piece: bytes = b" " * 65_536) -> Iterator[bytes]:
    return itertools.repeat(piece, megabytes * MB // len(piece))


@lru_cache
def workbook(rows: str, *, dimension: str = "A1:C3", shared: str = "") -> bytes:
    """A workbook whose one sheet holds these rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/s.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/s.xml"/>'
        f'<Relationship Id="r2" Type="{office}/sharedStrings" Target="t.xml"/></Relationships>',
        "xl/t.xml": f'<sst xmlns="{main}">{shared}</sst>',
        "xl/worksheets/s.xml": f'<worksheet xmlns="{main}"><dimension ref="{dimension}"/>'
        f"<sheetData>{rows}</sheetData></worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def move(**changes: object) -> bytes:
    body = {
        "movement_type": "muerte",
        "movement_id": str(uuid4()),
        "location_code": "A1",
        "quantity": 1,
    }
    return json.dumps(body | changes).encode()


def xlsx(name: str, rows: Callable[[], str], path: str = SHEETS, **options: str) -> Sent:
    return Sent(name, path, lambda: sheet(workbook(rows(), **options)), FORM)


BODIES = [
    Sent("JSON of 300 MB", COUNTS, lambda: stream(300)),
    Sent("a text of 300 MB", MOVES, lambda: itertools.chain([b'{"reason": "'], stream(300, b"a" * 65_536))),
    Sent("a list of 300 MB", COUNTS, lambda: itertools.chain([b"[0"], stream(300, b",1" * 32_768))),
    Sent("300 MB to a route for corrections", CORRECT, lambda: stream(300)),
    Sent("300 MB to no route", "/api/v1/nowhere", lambda: stream(300)),
    Sent("300 MB of a form", "/language", lambda: stream(300, b"a=b&" * 16_384), {"content-type": "application/x-www-form-urlencoded"}),
    Sent("a list of half a million", COUNTS, lambda: b"[" + b"1," * 490_000 + b"1]"),
    Sent("half a million cells", COUNTS, lambda: b'{"counts": [' + b"1," * 480_000 + b"1]}"),
    Sent("objects of one letter", CORRECT, lambda: b'{"add": [' + b"{}," * 330_000 + b"{}]}"),
    Sent("100,000 keys", MOVES, lambda: json.dumps({f"k{n}": n for n in range(60_000)}).encode()),
    Sent("one key 60,000 times", MOVES, lambda: b"{" + b'"quantity":1,' * 60_000 + b'"quantity":1}'),
    Sent("nested lists", COUNTS, lambda: b"[" * 490_000),
    Sent("nested lists that end", COUNTS, lambda: b"[" * 400_000 + b"]" * 400_000),
    Sent("nested objects", MOVES, lambda: b'{"a":' * 150_000 + b"1" + b"}" * 150_000),
    Sent("nested within a field", MOVES, lambda: move(reason=None)[:-1] + b', "x": ' + b"[" * 900 + b"]" * 900 + b"}"),
    Sent("a number of 900,000 digits", MOVES, lambda: b'{"quantity": ' + b"9" * 900_000 + b"}"),
    Sent("a number of 4,000 digits", MOVES, lambda: b'{"quantity": ' + b"9" * 4_000 + b"}"),
    Sent("1e999", MOVES, lambda: move()[:-2] + b"1e999}"),
    Sent("NaN", MOVES, lambda: move()[:-2] + b"NaN}"),
    Sent("minus Infinity", MOVES, lambda: move()[:-2] + b"-Infinity}"),
    Sent("NUL in a reason", MOVES, lambda: move(reason="a\0b")),
    Sent("NUL in a code", MOVES, lambda: move(location_code="A\0001")),
    Sent("half a character", MOVES, lambda: move(reason="X").replace(b'"X"', rb'"\ud800"')),
    Sent("half a character as a key", MOVES, lambda: rb'{"\udfff": 1}'),
    Sent("no UTF-8", MOVES, lambda: b'{"reason": "\xff\xfe\xc0"}'),
    Sent("UTF-16", MOVES, lambda: move().decode().encode("utf-16")),
    Sent("a byte-order mark", MOVES, lambda: b"\xef\xbb\xbf" + move()),
    Sent("nothing", MOVES, lambda: b""),
    Sent("null", MOVES, lambda: b"null"),
    Sent("a word", MOVES, lambda: b"word"),
    Sent("wrong types", MOVES, lambda: move(quantity=[], movement_id={}, location_code=7, reason=True)),
    Sent("a moment of year 9999", MOVES, lambda: move(occurred_at="9999-12-31T23:59:59-12:00")),
    Sent("a moment of year 1", MOVES, lambda: move(occurred_at="0001-01-01T00:00:00+14:00")),
    Sent("a period of odd days", PERIODS, lambda: b'{"code": "X", "boundary": "9999-12-31"}'),
    Sent("a form without an edge", PHOTO, lambda: form(part("files", b"x", "a.jpg")), {"content-type": "multipart/form-data"}),
    Sent("a form with another edge", PHOTO, lambda: form(part("files", b"x", "a.jpg")), {"content-type": "multipart/form-data; boundary=zz"}),
    Sent("half a form", PHOTO, lambda: part("files", b"x" * 5000, "a.jpg")[:4000], FORM),
    Sent("5,000 files", PHOTO, lambda: form(*(part("files", b"x", f"{n}.jpg") for n in range(5_000))), FORM),
    Sent("5,000 fields", PHOTO, lambda: form(*(part(f"f{n}", b"x") for n in range(5_000))), FORM),
    Sent("a field of 200 MB", PHOTO, lambda: itertools.chain([b'--x7c0ffee\r\nContent-Disposition: form-data; name="user"\r\n\r\n'], stream(200)), FORM),
    Sent("a part whose heading never ends", PHOTO, lambda: itertools.chain([b"--x7c0ffee\r\nX: "], stream(20)), FORM),
    Sent("a file name of 200,000 letters", PHOTO, lambda: form(part("files", encoded(picture()), "a" * 200_000)), FORM),
    Sent("a sheet of 100 MB", SHEETS, lambda: itertools.chain([sheet(b"")[:-20]], stream(100)), FORM),
    Sent("a CSV of newlines", SHEETS, lambda: sheet(b"\n" * (19 * MB), "s.csv"), FORM),
    Sent("a CSV of separators", SALES, lambda: form(part("file", b"product_sku;quantity_sold\n" + b";" * (15 * MB), "s.csv")), FORM),
    Sent("a CSV of one quote", SHEETS, lambda: sheet(b'location;count\nA1;"' + b"a" * (15 * MB), "s.csv"), FORM),
    xlsx("a workbook of 400,000 rows", lambda: "<row/>" * 400_000),
    xlsx("a workbook of 3,000,000 cells", lambda: "<row>" + "<c><v>1</v></c>" * 3_000_000 + "</row>"),
    xlsx("a workbook as large as can be", lambda: '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', dimension="A1:XFD1048576"),
    xlsx("a workbook of one text", lambda: '<row><c t="s"><v>0</v></c></row>' * 90_000, shared=f"<si><t>{'a' * 500_000}</t></si>"),
    xlsx("a workbook with an entity", lambda: "<row><c><v>&lol;</v></c></row>"),
    Sent("a packed sheet of 300 MB", SHEETS, lambda: sheet(packed("xl/worksheets/s.xml", 300 * MB)), FORM),
    Sent("a sheet that is no workbook", SHEETS, lambda: sheet(b"PK\3\4" + b"\xff" * 5000), FORM),
]  # fmt: skip
