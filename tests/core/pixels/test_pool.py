"""Readers of pictures: what they may take, how they end, and who waits for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demeter.core.errors import DomainError, chain
from demeter.core.pixels import errors, pool
from demeter.core.pixels.files import PictureKind, read_encoded, read_facts, read_pixels
from demeter.core.settings import settings
from support import odd_pictures as odd
from support.pictures import encoded, picture
from support.pictures import exif as made_exif

SRC = Path(__file__).parents[3] / "src"


@pytest.fixture
def own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[pool.Pool]:
    """A pool of this test's own; settings that a test changes are read anew."""
    settings.cache_clear()
    pool._pool_of.cache_clear()
    yield pool.pool()
    pool.pool().close()
    pool._pool_of.cache_clear()
    monkeypatch.undo()
    settings.cache_clear()


def readers(of: pool.Pool) -> list[int]:
    return [reader.pid for reader in of._idle]


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def large() -> bytes:
    return encoded(Image.new("RGB", (6000, 4000), (90, 120, 60)))


def test_facts_pixels_and_a_smaller_picture(own_pool: pool.Pool) -> None:
    body = encoded(picture(320, 240), exif=made_exif(orientation=6, taken="2026:03:02 09:00:00"))
    facts = read_facts(body, "bed.jpg", codes=True)
    rgb, same = read_pixels(body, "bed.jpg")
    assert (facts.width_px, facts.height_px, facts.content_type) == (240, 320, "image/jpeg")
    assert facts.tags["DateTimeOriginal"] == "2026:03:02 09:00:00"
    assert rgb.shape == (320, 240, 3)
    assert same.sha256 == facts.sha256
    small = Image.open(io_of(read_encoded(body, "bed.jpg", WEBP, side_px=64, pixels=10**9)))
    assert (small.format, small.size) == ("WEBP", (48, 64))
    assert len(readers(own_pool)) == 1  # one after the other by the same process


WEBP = PictureKind.WEBP


def io_of(body: bytes):
    import io  # noqa: PLC0415

    return io.BytesIO(body)


def test_a_long_picture_is_made_smaller_for_a_page(own_pool: pool.Pool) -> None:
    body = read_encoded(
        encoded(picture(17_000, 72)), "long.jpg", WEBP, side_px=20_000, pixels=10**9
    )
    assert Image.open(io_of(body)).size == (16_383, 69)
    body = read_encoded(
        encoded(picture(2000, 1000)), "wide.jpg", WEBP, side_px=20_000, pixels=500_000
    )
    assert Image.open(io_of(body)).size == (1000, 500)


def test_a_reader_knows_nothing_of_demeter_but_its_folder() -> None:
    listing = subprocess.run(
        [sys.executable, "-c", "import demeter.core.pixels.reader, sys; print(*sys.modules)"],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    own = {name for name in listing if name.startswith("demeter.")}
    assert own - {"demeter.core"} <= {n for n in own if n.startswith("demeter.core.pixels")}
    heavy = {"sqlalchemy", "fastapi", "pydantic", "structlog", "cv2", "psycopg", "zxingcpp"}
    assert heavy & set(listing) == set()


def test_a_reader_is_told_no_secret(own_pool: pool.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMETER_DATABASE_URL", "postgresql://someone:secret@127.0.0.1/none")
    read_facts(encoded(picture()), "bed.jpg", codes=False)
    (pid,) = readers(own_pool)
    assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def children() -> set[int]:
    lists = Path("/proc/self/task").glob("*/children")
    return {int(pid) for one in lists for pid in one.read_text().split()}


def end_readers(ending: signal.Signals, *, most: int) -> threading.Thread:
    """Ends readers that are started from now on, each as soon as it is there."""
    passed_over = children()  # also of other pools

    def end_them() -> None:
        ended, until = 0, time.monotonic() + 20
        while ended < most and time.monotonic() < until:
            with suppress(OSError):  # a thread or a child that has ended meanwhile
                for pid in children() - passed_over:
                    if b"pixels.reader" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        passed_over.add(pid)
                        os.kill(pid, ending)
                        ended += 1
            time.sleep(0.005)

    thread = threading.Thread(target=end_them)
    thread.start()
    return thread


@pytest.mark.parametrize("ending", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_photo_that_ends_each_reader_is_refused_by_name_and_the_next_one_is_read(
    own_pool: pool.Pool, ending: signal.Signals
) -> None:
    body = large()
    thread = end_readers(ending, most=2)
    with pytest.raises(errors.PhotoUnreadable, match=r"bed\.jpg") as refusal:
        read_facts(body, "bed.jpg", codes=False)
    assert ending.name in chain(refusal.value)
    thread.join()
    assert read_facts(body, "bed.jpg", codes=False).width_px == 6000


@pytest.mark.parametrize("ending", [signal.SIGSEGV, signal.SIGKILL])
def test_a_reader_that_ends_in_the_middle_is_replaced_once(
    own_pool: pool.Pool, ending: signal.Signals
) -> None:
    """Found by a fault run: a good photo was refused because another had spoiled its reader."""
    read_facts(encoded(picture()), "first.jpg", codes=False)
    (pid,) = readers(own_pool)
    os.kill(pid, signal.SIGSTOP)  # it is at work when the end comes
    threading.Timer(0.2, lambda: (os.kill(pid, ending), os.kill(pid, signal.SIGCONT))).start()
    rgb, _ = read_pixels(encoded(picture(320, 240)), "bed.jpg")
    assert rgb.shape == (240, 320, 3)
    assert rgb.std() > 10
    assert pid not in readers(own_pool)


def test_too_much_memory_is_refused_before_and_while_it_is_taken(
    own_pool: pool.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "decoder_process_bytes", 300_000_000)
    with pytest.raises(errors.PhotoTooLarge, match="would take 19"):
        read_facts(large(), "large.jpg", codes=False)
    # Within the limit by its heading; but without its end mark it is unpacked three times.
    monkeypatch.setattr(settings(), "decoder_process_bytes", 436_000_000)
    assert read_facts(large(), "whole.jpg", codes=False).width_px == 6000
    with pytest.raises(errors.PhotoTooLarge, match="more memory") as refusal:
        read_facts(large()[:-2], "endless.jpg", codes=False)
    assert refusal.value.status == 422
    monkeypatch.undo()
    assert read_facts(large()[:-2], "endless.jpg", codes=False).width_px == 6000


def test_too_much_time_is_refused(own_pool: pool.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "decoder_cpu_s", 0.05)
    with pytest.raises(errors.PhotoTooLarge, match="seconds"):
        read_facts(large(), "slow.jpg", codes=True)
    monkeypatch.setattr(settings(), "decoder_cpu_s", 10)
    read_facts(encoded(picture()), "quick.jpg", codes=False)
    (pid,) = readers(own_pool)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(pool, "_START_S", 0.2)
    monkeypatch.setattr(settings(), "decoder_timeout_s", 0.2)
    with pytest.raises(errors.PhotoTooLarge, match="seconds"):
        read_facts(encoded(picture()), "stuck.jpg", codes=False)
    assert not is_running(pid)


def test_who_finds_the_line_full_or_slow_is_told_so(
    own_pool: pool.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "decoder_wait_s", 0.3)
    monkeypatch.setattr(settings(), "decoder_waiting", 1)
    body, refusals = encoded(picture()), []

    def ask() -> None:
        try:
            read_facts(body, "bed.jpg", codes=False)
        except DomainError as error:
            refusals.append(error)

    taken = settings().decoder_processes
    with own_pool.readers.hold(taken, 1):
        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {error.code for error in refusals} == {"decoder_busy"}
    assert len(refusals) == 5
    assert {error.notice.code for error in refusals} == {"decoder_line_full", "decoder_line_slow"}
    assert refusals[0].status == 503
    assert refusals[0].retry_after_s
    assert read_facts(body, "bed.jpg", codes=False).width_px == 320


def test_all_photos_at_once_share_one_memory(own_pool: pool.Pool) -> None:
    allowance = pool.Allowance(100)
    taken, most, lock = 0, 0, threading.Lock()

    def take(amount: int) -> None:
        nonlocal taken, most
        with allowance.hold(amount, 10):
            with lock:
                taken += min(amount, 100)
                most = max(most, taken)
            time.sleep(0.005)
            with lock:
                taken -= min(amount, 100)

    amounts = np.random.default_rng(0).integers(1, 140, 60)
    threads = [threading.Thread(target=take, args=(int(a),)) for a in amounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < most <= 100
    with allowance.hold(100, 0.1), pytest.raises(errors.DecoderBusy), allowance.hold(1, 0.05):
        pass


def test_many_photos_at_once_are_all_read_by_few_readers(own_pool: pool.Pool) -> None:
    bodies = [encoded(picture(320, 240, seed=n)) for n in range(12)]
    sizes: list[int] = []
    threads = [
        threading.Thread(target=lambda b=b: sizes.append(read_facts(b, "x", codes=True).size_bytes))
        for b in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sizes) == sorted(map(len, bodies))
    assert len(readers(own_pool)) <= settings().decoder_processes


def test_idle_readers_end(own_pool: pool.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE_S", 0.2)
    read_facts(encoded(picture()), "bed.jpg", codes=False)
    (pid,) = readers(own_pool)
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)
    assert read_facts(encoded(picture()), "bed.jpg", codes=False).width_px == 320


OWNER = """
import sys, os
from demeter.core.pixels.files import read_facts
from demeter.core.pixels.pool import pool
read_facts(sys.stdin.buffer.read(), "bed.jpg", codes=False)
print(*[reader.pid for reader in pool()._idle], flush=True)
if sys.argv[1] == "kill":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("ending", ["return", "kill"])
def test_readers_end_with_the_process_that_started_them(ending: str) -> None:
    owner = subprocess.run(
        [sys.executable, "-W", "error", "-c", OWNER, ending],
        input=encoded(picture()),
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        check=False,
    )
    pids = [int(pid) for pid in owner.stdout.split()]
    assert len(pids) == 1, owner.stderr
    assert owner.stderr == b""
    deadline = time.monotonic() + 10
    while is_running(pids[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pids[0])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (odd.animated_webp(16_000, 16_000), "photo_too_large"),
        (odd.animated_webp(10_000, 10_000), "photo_too_large"),
        (odd.png(10_900, 11_000, (b"IDAT", b""), depth=16, kind=6), "photo_too_large"),
        (odd.png(6_700, 6_700, (b"IDAT", b""), depth=16, kind=6), "photo_truncated"),
        (odd.png(2**31 - 1, 2**31 - 1, (b"IDAT", b"")), "photo_too_large"),
        (odd.png(0, 0, (b"IDAT", b"")), "photo_too_small"),
        (odd.tiff(odd.page(2**31, 2**31)), "photo_too_large"),
        (odd.tiff(odd.page(64, 64)), "photo_truncated"),
    ],
    ids=[
        "large film",
        "film",
        "deep PNG",
        "PNG",
        "PNG of 2^62",
        "PNG of 0",
        "TIFF of 2^62",
        "no pixels",
    ],
)
def test_what_a_heading_promises_is_weighed_before_it_is_unpacked(
    own_pool: pool.Pool, body: bytes, code: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        read_facts(body, "odd", codes=False)
    assert refusal.value.code == code
    (pid,) = readers(own_pool)
    status = Path(f"/proc/{pid}/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    assert peak_kb < 600_000
