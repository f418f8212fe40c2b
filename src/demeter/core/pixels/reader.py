"""The process that unpacks pictures: ``python -m demeter.core.pixels.reader SOCKET``.

It knows Pillow, pi_heif and numpy, and nothing of Demeter but this folder: no database, no
settings, no secret. Each order comes with two open files, the one to read and the one to write.
The answers are JSON. It ends when the process that started it does.
"""

from __future__ import annotations

import faulthandler
import gc
import hashlib
import io
import mmap
import os
import resource
import select
import signal
import socket
import sys
import threading
import warnings
from typing import Any

from PIL import Image

from demeter.core.pixels.faults import Fault
from demeter.core.pixels.labels import read_codes
from demeter.core.pixels.messages import receive, send
from demeter.core.pixels.reading import CONTENT_TYPES, StoredPicture, bands, open_picture

_SIDE_PX = {"WEBP": 16_383, "JPEG": 65_500}
_QUALITY: dict[str, dict[str, int]] = {
    "WEBP": {"quality": 85, "method": 1},
    "JPEG": {"quality": 92},
}
_OWN_BYTES = 240_000_000  # programs and libraries, before any picture
_COLOURS = 3  # bytes a pixel of the largest photo, so that deep ones take no longer
_GONE = 0x2000  # POLLRDHUP: the other end was closed


def main(descriptor: int) -> None:
    """Serve orders until the other end goes away."""
    faulthandler.enable()
    warnings.simplefilter("ignore")  # damaged tags warn; pixels are what is asked
    own = socket.socket(fileno=descriptor)
    threading.Thread(target=_end_with_parent, args=(descriptor,), daemon=True).start()
    while (order := receive(own)) is not None:
        message, files = order
        try:
            answer = {"answer": _Order(own, message, *files).carry_out()}
        except Fault as fault:
            answer = {"fault": fault.error, "notice": fault.notice, "params": fault.params}
        except MemoryError as error:
            answer = _unexpected("photo_too_large", "photo_needs_memory", error)
        except Exception as error:  # noqa: BLE001  whatever a decoder raises is an answer
            answer = _unexpected("photo_unreadable", "photo_reader_failed", error)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            for file in files:
                os.close(file)
        if "fault" in answer:
            gc.collect()  # what a traceback held on to
        send(own, answer)
        del order, message


def _unexpected(error: str, notice: str, cause: Exception) -> dict[str, Any]:
    text = f"{type(cause).__name__}: {cause}"[:300]
    return {"fault": error, "notice": notice, "params": {"cause": text}}


class _Order:
    """One file: what is asked of it, and how it is answered."""

    def __init__(self, own: socket.socket, asked: dict[str, Any], source: int, out: int) -> None:
        self._own = own
        self._asked = asked
        self._out = out
        self._source = source

    def carry_out(self) -> dict[str, Any]:
        """The facts; pixels or a picture are in the file to write."""
        asked = self._asked
        _limit(resource.RLIMIT_AS, asked["memory_bytes"])
        signal.setitimer(signal.ITIMER_PROF, asked["cpu_s"])
        size = os.fstat(self._source).st_size
        if size > asked["max_bytes"]:
            raise Fault("photo_too_large", "photo_of_bytes", bytes=size, limit=asked["max_bytes"])
        body = self._body(size)
        photo = open_picture(body)
        self._check_size(photo)
        self._wait_for_room(photo, size)
        facts = self._facts(photo, body)
        del body
        if asked["act"] == "facts":
            if asked["codes"]:
                facts["codes"] = read_codes(photo.rgb())
            else:
                photo.check()
        elif asked["act"] == "pixels":
            self._write_pixels(photo.rgb())
        else:
            self._write_picture(photo)
        return facts

    def _body(self, size: int) -> bytes:
        if size == 0:
            return b""
        with mmap.mmap(self._source, size, access=mmap.ACCESS_READ) as view:
            return view[:]

    def _check_size(self, photo: StoredPicture) -> None:
        width, height = photo.upright_size
        sides = {"width": width, "height": height}
        limit, least = self._asked["max_pixels"], self._asked["min_side_px"]
        if width * height > limit:
            raise Fault("photo_too_large", "photo_of_pixels", **sides, limit=limit)
        packed = int(width * height * photo.packed_bytes_per_pixel)
        if packed > _COLOURS * limit:
            raise Fault("photo_too_large", "photo_of_memory", megabytes=packed // 10**6)
        if min(width, height) < least:
            raise Fault("photo_too_small", "photo_of_few_pixels", **sides, limit=least)

    def _wait_for_room(self, photo: StoredPicture, size: int) -> None:
        """Say what unpacking takes, and wait until that much is free."""
        needs = photo.width * photo.height * photo.peak_bytes_per_pixel + 2 * size
        most = self._asked["memory_bytes"] - _OWN_BYTES
        if needs > most:
            raise Fault("photo_too_large", "photo_of_memory", megabytes=needs // 10**6)
        send(self._own, {"needs": needs})
        if receive(self._own) is None:
            os._exit(0)

    def _facts(self, photo: StoredPicture, body: bytes) -> dict[str, Any]:
        width, height = photo.upright_size
        return {
            "sha256": hashlib.sha256(body).hexdigest(),
            "size_bytes": len(body),
            "content_type": CONTENT_TYPES[photo.kind],
            "width_px": width,
            "height_px": height,
            "is_turned": photo.orientation != 1,
            "pages_left_out": photo.pages_left_out,
            **photo.facts,
        }

    def _write_pixels(self, rgb: Image.Image) -> None:
        _limit(resource.RLIMIT_FSIZE, 3 * rgb.width * rgb.height)
        with os.fdopen(os.dup(self._out), "wb", buffering=0) as out:
            for _, band in bands(rgb):
                left = memoryview(band.tobytes())
                while left:
                    left = left[out.write(left) :]

    def _write_picture(self, photo: StoredPicture) -> None:
        """The picture within ``side_px`` and ``pixels``, encoded anew: no tag goes along."""
        kind = self._asked["kind"]
        width, height = photo.upright_size
        side = min(self._asked["side_px"], _SIDE_PX[kind])
        scale = min(
            1.0, side / max(width, height), (self._asked["pixels"] / (width * height)) ** 0.5
        )
        wanted = max(1, int(width * scale)), max(1, int(height * scale))
        rgb = photo.rgb(max(wanted) if scale < 1 else None)
        if rgb.size != wanted:
            rgb = rgb.resize(wanted, Image.Resampling.BICUBIC, reducing_gap=2.0)
        stream = io.BytesIO()
        rgb.save(stream, kind, **_QUALITY[kind])
        # Each answer has a limit of its own, or it would have that of the picture before.
        _limit(resource.RLIMIT_FSIZE, len(stream.getbuffer()))
        with os.fdopen(os.dup(self._out), "wb") as out:
            out.write(stream.getbuffer())


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _end_with_parent(descriptor: int) -> None:
    """Stop in the middle of a picture where nobody waits for it any more."""
    poll = select.poll()
    poll.register(descriptor, _GONE)
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
