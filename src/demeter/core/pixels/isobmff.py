"""HEIC and AVIF: which of the two a file is, by its brands and by the codec that it names."""

from __future__ import annotations

from demeter.core.pixels.faults import raw, unread

_AVIF = frozenset({b"avif", b"avis", b"MA1A", b"MA1B", b"avio"})
_HEIF = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"heif", b"MiHB"}
)
_OF_BOTH = frozenset({b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"MiPr", b"iso8", b"tmap"})
_HEAD = 65_536


def kind_of(body: bytes) -> str | None:
    """``HEIF`` or ``AVIF``; ``None`` for a file that has no brands, or those of a film.

    Raises:
        Fault: a raw file.
    """
    if body[4:8] != b"ftyp":
        return None
    size = min(max(int.from_bytes(body[:4], "big"), 16), 4096)
    brands = [body[8:12], *(body[at : at + 4] for at in range(16, min(size, len(body)) - 3, 4))]
    if b"crx " in brands:
        raise raw("CR3")
    for brand in brands:  # the first brand is the file's own, the others what it is like
        if brand in _AVIF:
            return "AVIF"
        if brand in _HEIF:
            return "HEIF"
    if not _OF_BOTH & set(brands):
        return None
    head = body[:_HEAD]
    if b"av01" in head or b"av1C" in head:
        return "AVIF"
    if b"hvc1" in head or b"hvcC" in head or b"grid" in head:
        return "HEIF"
    raise unread(brands[0].decode("latin-1").strip())


def as_avif(body: bytes) -> bytes:
    """The file under the brand that libavif asks for, whichever of its relatives it goes by."""
    is_film = body[8:12] == b"avis" and b"moov" in body
    return body if is_film else body[:8] + b"avif" + body[12:]
