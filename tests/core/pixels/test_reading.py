"""Content decides whether pixels are read, and how they look; no metadata does."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from demeter.core.pixels.faults import Fault
from demeter.core.pixels.reading import GROUND, open_picture
from support import odd_pictures as odd
from support.pictures import encoded, picture
from support.pictures import exif as made_exif


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(open_picture(body).rgb()).astype(int)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def fault_of(body: bytes) -> str:
    with pytest.raises(Fault) as refusal:
        open_picture(body).rgb()
    return refusal.value.error


# -- EXIF ------------------------------------------------------------------------------------


def turned(image: Image.Image, orientation: int) -> np.ndarray:
    """The image turned as the standard says, by arrays and not by Pillow."""
    rgb = np.asarray(image).astype(int)
    turns = {
        1: rgb,
        2: rgb[:, ::-1],
        3: rgb[::-1, ::-1],
        4: rgb[::-1],
        5: rgb.transpose(1, 0, 2),
        6: rgb[::-1].transpose(1, 0, 2),
        7: rgb[::-1, ::-1].transpose(1, 0, 2),
        8: rgb[:, ::-1].transpose(1, 0, 2),
    }
    return turns[orientation]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_turn_is_applied_once(kind: str, orientation: int) -> None:
    tags = made_exif(orientation=orientation)
    body = encoded(picture(96, 64), kind, exif=tags, quality=95)
    opened = open_picture(body)
    upright = turned(picture(96, 64), orientation)
    assert opened.upright_size == (upright.shape[1], upright.shape[0])
    assert difference(np.asarray(opened.rgb()), upright) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_damaged_exif_gives_the_same_picture(kind: str) -> None:
    rng = np.random.default_rng(7)
    small = picture(96, 64)
    straight = pixels(encoded(small, kind))
    for seed in range(300):
        block = odd.damaged(odd.exif_block(seed, orientation=1), rng)
        opened = open_picture(odd.with_exif(block, kind, small))
        if opened.orientation == 1:
            assert (np.asarray(opened.rgb()) == straight).all()
        else:  # the damage met that tag, and what stands there is a turn
            assert opened.rgb().width * opened.rgb().height == 96 * 64


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turn_is_read_whatever_stands_beside_it(orientation: int) -> None:
    odd_tags = [
        (0x010F, 5, 1, b"\xff\xff\xff\x7f"),  # a maker that is a fraction out of the file
        (0x011A, 2, 4, b"72\0\0"),  # a resolution in words
        (0x0112, 3, 1, struct.pack("<H", orientation)),
        (0x8769, 4, 1, struct.pack("<I", 8)),  # a directory that contains itself
        (0x8825, 2, 4, b"here"),
        (0x9999, 99, 4_000_000_000, b"\xff\xff\xff\xff"),
    ]
    body = odd.with_exif(odd.tiff(odd_tags), image=picture(96, 64))
    assert difference(pixels(body), turned(picture(96, 64), orientation)) < 8


@given(st.binary(max_size=200))
def test_any_bytes_will_do_as_exif(block: bytes) -> None:
    body = odd.with_exif(b"II*\0\x08\0\0\0" + block, image=picture(96, 64))
    opened = open_picture(body)
    assert opened.rgb().width in (96, 64)
    assert set(opened.facts) == {"tags", "gps"}


def test_damaged_texts_and_profiles_are_no_matter() -> None:
    body = encoded(picture(96, 64), "PNG")
    bomb = zlib.compress(b"\0" * 80_000_000)
    for kind, data in (
        (b"iCCP", b"profile\0\0" + bomb),
        (b"zTXt", b"Comment\0\0" + bomb),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
        (b"pHYs", b""),
        (b"gAMA", b"\0"),
        (b"cHRM", b"!"),
    ):
        assert (pixels(odd.with_png_chunk(body, kind, data)) == pixels(body)).all()
    wrong_sum = bytearray(odd.with_png_chunk(body, b"tEXt", b"Comment\0words"))
    wrong_sum[33 + 8] ^= 1
    assert (pixels(bytes(wrong_sum)) == pixels(body)).all()


def test_an_index_of_more_pictures_in_a_jpeg_is_no_matter() -> None:
    body = encoded(picture(96, 64))
    index = odd.with_segment(body, 0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)
    assert (pixels(index) == pixels(body)).all()
    both = odd.saved_pages("MPO", picture(96, 64), picture(96, 64, seed=1))
    assert open_picture(both).pages_left_out == 0
    assert difference(pixels(both), np.asarray(picture(96, 64))) < 8


# -- Colours ---------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
def test_deep_grey_is_scaled_alike_in_both_orders(order: str) -> None:
    ramp = (odd.grey_ramp() / 257).round()
    assert np.abs(pixels(odd.deep_tiff(order))[..., 0] - ramp).max() <= 1
    inverse = pixels(odd.deep_tiff(order, photometric=0))[..., 0]
    assert np.abs(inverse - (255 - ramp)).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_packed_deep_grey_is_scaled_alike_in_both_orders(order: str) -> None:
    data = zlib.compress(odd.grey_ramp().astype(f"{order}u2").tobytes())
    rows = [row for row in odd.page(200, 100, order=order, bits=16) if row[0] not in (259, 279)]
    rows += [
        (259, 3, 1, struct.pack(f"{order}H", 8)),
        (279, 4, 1, struct.pack(f"{order}I", len(data))),
    ]
    body = odd.tiff(rows, order=order, data=data)
    assert np.abs(pixels(body)[..., 0] - odd.grey_ramp() / 257).max() <= 1


def test_deep_grey_of_a_png_is_scaled() -> None:
    body = encoded(Image.fromarray(odd.grey_ramp()), "PNG")
    assert np.abs(pixels(body)[..., 0] - odd.grey_ramp() / 257).max() <= 1


@pytest.mark.parametrize(("kind", "mode"), [("TIFF", "F"), ("TIFF", "I")])
def test_numbers_without_a_range_are_refused_by_name(kind: str, mode: str) -> None:
    image = Image.fromarray(odd.grey_ramp().astype(np.float32)).convert(mode)
    assert fault_of(encoded(image, kind)) == "not_a_photo"


MODES = [
    ("1", "PNG"),
    ("1", "TIFF"),
    ("L", "JPEG"),
    ("L", "WEBP"),
    ("L", "AVIF"),
    ("P", "PNG"),
    ("P", "TIFF"),
    ("CMYK", "JPEG"),
    ("CMYK", "TIFF"),
    ("YCbCr", "TIFF"),
    ("LAB", "TIFF"),
    ("LA", "PNG"),
    ("LA", "TIFF"),
    ("RGBA", "PNG"),
    ("RGBA", "WEBP"),
    ("RGBA", "AVIF"),
    ("RGBA", "TIFF"),
]


@pytest.mark.parametrize(("mode", "kind"), MODES)
def test_each_way_to_keep_colours_is_read(mode: str, kind: str) -> None:
    red = Image.new("RGB", (96, 64), (200, 40, 60))
    if mode == "LAB":
        from PIL import ImageCms  # noqa: PLC0415

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(red, srgb, lab, outputMode="LAB")
    else:
        image = red.convert(mode)
    assert image is not None
    middle = pixels(encoded(image, kind))[32, 48]
    grey = round(0.299 * 200 + 0.587 * 40 + 0.114 * 60)
    wanted = {"1": None, "L": [grey] * 3, "LA": [grey] * 3}.get(mode, [200, 40, 60])
    if wanted is None:
        assert set(middle) <= {0, 255}
    else:
        # A palette of a browser's 216 colours has steps of 51
        assert np.abs(middle - wanted).max() <= (51 if mode == "P" else 8)


def erased(mode: str, kind: str) -> bytes:
    """Plants everywhere, of which the right half is erased."""
    image = picture(96, 64).convert(mode)
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (48, 0, 96, 64))
    image.putalpha(alpha)
    return encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {}))


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGBA", "PNG"), ("RGBA", "WEBP"), ("LA", "PNG"), ("RGBA", "TIFF")]
)
def test_what_is_erased_is_neutral_ground(mode: str, kind: str) -> None:
    rgb = pixels(erased(mode, kind))
    assert (rgb[:, 50:] == GROUND).all()
    assert rgb[:, :46].std() > 10


def test_a_see_through_colour_is_neutral_ground() -> None:
    paletted = Image.new("P", (96, 64), 1)
    paletted.putpalette([0, 0, 0, 10, 200, 30])
    paletted.paste(0, (48, 0, 96, 64))
    rgb = pixels(encoded(paletted, "PNG", transparency=0))
    assert (rgb[:, 50:] == GROUND).all()
    assert (rgb[:, :46] == (10, 200, 30)).all()
    deep = Image.fromarray(odd.grey_ramp())
    assert (pixels(encoded(deep, "PNG", transparency=0))[:, 0] == GROUND).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_profile_that_is_none_is_no_matter(kind: str) -> None:
    plain, odd_one = (
        pixels(encoded(picture(96, 64), kind, icc_profile=profile)) for profile in (None, b"none")
    )
    assert difference(plain, odd_one) < 1


# -- Pages -----------------------------------------------------------------------------------

REDUCED = (254, 4, 1, b"\x01\0\0\0")
FULL = (254, 4, 1, b"\0\0\0\0")


def test_a_reduced_page_is_not_the_photo() -> None:
    data = b"\x10" * 40 * 30 + b"\xc0" * 400 * 300
    body = odd.tiff(odd.page(40, 30, REDUCED), odd.page(400, 300, FULL, offset=8 + 1200), data=data)
    opened = open_picture(body)
    assert (opened.width, opened.height, opened.pages_left_out) == (400, 300, 0)
    assert (np.asarray(opened.rgb()) == 0xC0).all()


def test_a_small_first_page_without_a_word_is_not_the_photo() -> None:
    data = b"\x10" * 40 * 30 + b"\xc0" * 400 * 300
    body = odd.tiff(odd.page(40, 30), odd.page(400, 300, offset=8 + 1200), data=data)
    assert open_picture(body).upright_size == (400, 300)
    assert open_picture(body).pages_left_out == 0


def test_only_a_reduced_page_is_refused() -> None:
    assert fault_of(odd.tiff(odd.page(64, 64, REDUCED), data=b"\0" * 4096)) == "not_a_photo"


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_is_not_counted_is_numbered(kind: str, count: int) -> None:
    images = [picture(96, 64, seed=n) for n in range(count)]
    body = odd.saved_pages(kind, *images) if count > 1 else encoded(images[0], kind)
    opened = open_picture(body)
    assert opened.pages_left_out == count - 1
    assert difference(np.asarray(opened.rgb()), np.asarray(images[0])) < 12


def test_pages_that_go_round_in_a_circle_are_read_once() -> None:
    body = bytearray(odd.tiff(odd.page(64, 64), data=b"\x80" * 4096))
    body[-4:] = struct.pack("<I", 8 + 4096)
    assert open_picture(bytes(body)).pages_left_out == 0
    assert (pixels(bytes(body)) == 0x80).all()


def raw_files() -> dict[str, bytes]:
    """Raw files as far as they are told apart: each has a thumbnail as its first page."""
    thumbnail = odd.page(160, 120, REDUCED)
    data = b"\x55" * 160 * 120
    sensor = odd.page(400, 300, photometric=32803)
    compressed = [row for row in odd.page(400, 300) if row[0] != 259]
    files = {
        "DNG": odd.tiff([*thumbnail, (50706, 1, 4, b"\x01\x04\0\0")], data=data),
        "sensor": odd.tiff(thumbnail, sensor, data=data),
        "big-endian sensor": odd.tiff(
            odd.page(160, 120, order=">"),
            odd.page(400, 300, order=">", photometric=34892),
            order=">",
            data=data,
        ),
        "NEF": odd.tiff([*compressed, (259, 3, 1, struct.pack("<H", 34713))], data=data),
        "PEF": odd.tiff([*compressed, (259, 3, 1, struct.pack("<H", 65535))], data=data),
        "CR2": b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0" + odd.tiff(thumbnail, data=data)[8:],
        "ORF": b"IIRO" + odd.tiff(thumbnail, data=data)[4:],
        "RW2": b"IIU\0" + odd.tiff(thumbnail, data=data)[4:],
        "RAF": b"FUJIFILMCCD-RAW 0201FF383501" + b"\0" * 200 + encoded(picture()),
        "CR3": odd.isobmff(b"crx ", b"isom", rest=encoded(picture())),
    }
    inner = odd.tiff(thumbnail, data=data)
    with_sub = odd.tiff([*thumbnail, (330, 4, 1, struct.pack("<I", len(inner) + 12))], data=data)
    sub = odd.tiff(sensor)[8:]
    assert len(with_sub) == len(inner) + 12
    return files | {"ARW": with_sub + sub}


@pytest.mark.parametrize("kind", raw_files())
def test_a_raw_file_is_refused_by_name(kind: str) -> None:
    assert fault_of(raw_files()[kind]) == "raw_photo"


def test_a_tiff_is_read_whatever_its_other_tags_are() -> None:
    odd_tags = [
        (282, 2, 4, b"72\0\0"),
        (283, 5, 1, b"\xff\xff\xff\x7f"),
        (296, 2, 1, b"x"),
        (700, 1, 400_000, b"\0\0\0\x7f"),
        (34675, 7, 100_000, b"\0\0\0\x7f"),
        (34665, 4, 1, b"\xff\xff\xff\xff"),
    ]
    body = odd.tiff(odd.page(64, 64, *odd_tags), data=b"\x80" * 4096)
    assert (pixels(body) == 0x80).all()


# -- Kinds and damage ------------------------------------------------------------------------

BRANDS = [
    (b"avif", [b"mif1", b"miaf"]),
    (b"mif1", [b"avif", b"miaf"]),
    (b"miaf", [b"MA1B"]),
    (b"MA1B", [b"mif1"]),
    (b"MA1A", []),
    (b"mif1", [b"miaf"]),
    (b"avis", [b"avif", b"msf1"]),
]


@pytest.mark.parametrize(("brand", "others"), BRANDS)
def test_an_avif_is_read_by_any_of_its_brands(brand: bytes, others: list[bytes]) -> None:
    body = odd.rebranded(encoded(picture(96, 64), "AVIF"), brand, *others)
    assert difference(pixels(body), np.asarray(picture(96, 64))) < 12


@pytest.mark.parametrize(
    "brand",
    [b"heic", b"heix", b"hevc", b"msf1", b"mif1", b"heim", b"miaf", b"isom", b"mp42", b"qt  "],
)
def test_brands_without_a_picture_are_refused_by_name(brand: bytes) -> None:
    for rest in (b"", b"\0\0\0\x08meta", encoded(picture(96, 64), "AVIF")[32:], b"\xff" * 200):
        assert fault_of(odd.isobmff(brand, b"mif1", rest=rest)) in (
            "not_a_photo",
            "photo_truncated",
        )


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}, {"optimize": True}],
)
def test_a_jpeg_without_its_end_mark_is_whole(options: dict) -> None:
    whole = encoded(picture(), quality=90, **options)
    for missing in (1, 2):
        assert (pixels(whole[:-missing]) == pixels(whole)).all()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_jpeg_that_lacks_more_is_truncated(options: dict) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8))
    whole = encoded(noise, quality=90, **options)
    for missing in (4, 5, 8, 30, 300, len(whole) // 2):
        assert fault_of(whole[:-missing]) == "photo_truncated"


def test_a_jpeg_that_lacks_whole_passes_is_truncated() -> None:
    whole = encoded(picture(), progressive=True)
    last_pass = whole.rindex(b"\xff\xda")
    assert fault_of(whole[:last_pass]) == "photo_truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_any_damage_is_a_picture_or_a_named_refusal(kind: str) -> None:
    rng = np.random.default_rng(3)
    whole = encoded(picture(96, 64), kind)
    for _ in range(120):
        raw = bytearray(whole)
        for _ in range(int(rng.integers(1, 6))):
            raw[int(rng.integers(len(raw)))] = int(rng.integers(256))
        cut = bytes(raw[: int(rng.integers(1, len(raw) + 1))] if rng.random() < 0.3 else raw)
        with suppress(Fault):  # any other error is one
            opened = open_picture(cut)
            if opened.width * opened.height < 1_000_000:
                opened.rgb()


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_by_name(body: bytes) -> None:
    for head in (
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
        b"II*\0",
        b"MM\0+",
    ):
        with pytest.raises(Fault):
            open_picture(head + body).rgb()


def test_what_a_browser_shows_and_is_no_photo_is_refused() -> None:
    gif = io.BytesIO()
    picture(96, 64).save(gif, "GIF")
    for body in (b"", b"\0", b"<svg/>", b"%PDF-1.7", b"PK\3\4", b"GIF89a", gif.getvalue(), b"BM"):
        assert fault_of(body) == "not_a_photo"


def test_sides_longer_than_a_webp_may_have_are_read() -> None:
    for kind in ("JPEG", "TIFF", "PNG"):
        assert pixels(encoded(picture(17_000, 72), kind)).shape == (72, 17_000, 3)
