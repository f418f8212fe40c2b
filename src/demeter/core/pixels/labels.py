"""The QR codes in a picture."""

from __future__ import annotations

from PIL import Image

from demeter.core.pixels.faults import Fault


def read_codes(picture: Image.Image) -> list[tuple[str, float]]:
    """Text and share of the frame (0 to 1) of each QR code, sorted by text."""
    import numpy as np  # noqa: PLC0415  most pictures are of beds whose code is known
    import zxingcpp  # noqa: PLC0415

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    try:
        codes = zxingcpp.read_barcodes(np.asarray(picture.convert("L")), formats=kinds)
    except (RuntimeError, ValueError) as error:
        raise Fault("photo_unreadable", "photo_reader_failed", cause=str(error)) from error
    area = picture.width * picture.height
    texts = [(code.text, _area(code.position) / area) for code in codes]
    return sorted((text, share) for text, share in texts if _can_be_asked_for(text))


def _can_be_asked_for(text: str) -> bool:
    """Whether a database can be asked for it: no NUL, nothing that is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _area(corners: object) -> float:
    names = ("top_left", "top_right", "bottom_right", "bottom_left")
    points = [getattr(corners, name) for name in names]
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(a.x * b.y - b.x * a.y for a, b in pairs)) / 2
