"""Two web servers and four workers on machines of their own; one is cut off, and comes back.

Each machine is a network namespace with an address. DEMETER_FIGURES names a folder for what
was measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from demeter.accounts.models import UserRole
from demeter.core import blobs, db
from demeter.core.db import transaction
from demeter.core.settings import settings
from support.machines import Machine, Network, database_on, missing, network
from support.nursery import plant_nursery
from support.object_store import endpoint, weed, weed_environment
from support.pictures import encoded, picture
from support.rows import count, until
from support.signing_in import signed_in
from support.small_photos import small_photo

# SeaweedFS listens on sockets in /tmp, too, which are named by its ports alone: namespaces share
# them, so that each run has ports that no other one on this machine has.
S3_BASE, WEB_PORT = 26_000 + 20 * (os.getpid() % 150), 8000
UNDER_WAY = "photo_processing_sessions WHERE status IN ('pending', 'processing')"
OVER = "photo_session_images WHERE status = 'succeeded'"
DOING = "procrastinate_jobs WHERE status = 'doing' AND task_name = 'ml_child_task'"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(need := missing()), reason=f"needs {need}"),
    pytest.mark.timeout(3600),
]


@dataclass
class Site:
    """All machines, and what a process on one of them is told."""

    net: Network
    folder: Path
    environment: dict[str, str]
    headers: dict[str, str]
    phones: Machine

    def worker(self, name: str, *command: str) -> Machine:
        machine = self.net.machine(name)
        words = command or ("demeter", "worker")
        self._start(machine, *words)
        return machine

    def web(self, name: str) -> Machine:
        machine = self.net.machine(name)
        self._start(machine, "demeter.ops.web_server", DEMETER_HOST=machine.address)
        until(lambda: self.ask(machine, "/health/live") == 200)
        return machine

    def _start(self, machine: Machine, *command: str, **more: str) -> None:
        home = self.folder / machine.name
        home.mkdir()
        own = {"DEMETER_HOME": str(home), "DEMETER_PORT": str(WEB_PORT), **more}
        words = (sys.executable, "-m", *command)
        machine.start(*words, log=home / "log", environment=self.environment | own)

    def ask(self, web: Machine, path: str) -> int:
        address = f"http://{web.address}:{WEB_PORT}{path}"

        def get() -> int:
            try:
                return httpx2.get(address, timeout=10).status_code
            except httpx2.TransportError:
                return 0

        return self.phones.inside(get)

    def send(self, webs: Sequence[Machine], number: int, body: bytes) -> str:
        """Send a photo as a phone does: the same upload again, to the next server, until 202."""
        for turn in range(60):
            web = webs[(number + turn) % len(webs)]
            answer = self.phones.inside(lambda web=web: self._post(web, number, body))
            if answer is not None and answer.status_code == 202:
                return answer.json()["session_id"]
            assert answer is None or answer.status_code in (409, 503), answer.text
            time.sleep(0.5)
        pytest.fail("no server took the photo")

    def _post(self, web: Machine, number: int, body: bytes) -> httpx2.Response | None:
        with suppress(httpx2.TransportError):
            return httpx2.post(
                f"http://{web.address}:{WEB_PORT}/api/v1/stock/photo",
                files=[("files", (f"bed-{number}.jpg", body))],
                data={"location_code": f"A{number % 2 + 1}"},
                headers=self.headers | {"Idempotency-Key": f"photo-{number}"},
                timeout=20,
            )
        return None


@pytest.fixture
def site(tmp_path: Path, new_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """PostgreSQL on one machine, S3 on another, a nursery in them, and phones on a third."""
    with network() as net:
        store, phones = net.machine("s3"), net.machine("phones")
        folder = tmp_path / "objects"
        folder.mkdir()
        command = weed(folder, S3_BASE, store.address)
        store.start(*command, log=tmp_path / "s3.log", environment=weed_environment(folder))
        address = endpoint(S3_BASE, store.address)
        with database_on(net.machine("db"), new_home) as (url, own_url):
            for name, value in (("DATABASE_URL", own_url), ("HOME", str(new_home))):
                monkeypatch.setenv(f"DEMETER_{name}", value)
            _forget()
            db.migrate(db.engine())
            with transaction() as session:
                plant_nursery(session)
            headers = signed_in("rosa", UserRole.WORKER)
            environment = {
                "DEMETER_DATABASE_URL": url,
                "DEMETER_OBJECT_STORE_URL": "s3://photos/demeter",
                "DEMETER_VISION_THREADS": "1",
                "DEMETER_WORKER_STALLED_S": "6",
                "DEMETER_WORKER_HEARTBEAT_S": "1",
                "AWS_ENDPOINT": address,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "demeter",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "PYTHONPATH": f"{Path(__file__).parents[2] / 'src'}:{Path(__file__).parents[1]}",
            }
            until(lambda: phones.inside(lambda: _answers(address)))
            try:
                yield Site(net, tmp_path, environment, headers, phones)
            finally:
                for machine in net.machines:
                    if machine.name not in ("s3", "db"):
                        machine.stop()
                db.engine().dispose()
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    settings.cache_clear()
    db.engine.cache_clear()
    blobs.store.cache_clear()


def _answers(address: str) -> bool:
    with suppress(httpx2.TransportError):
        httpx2.get(address, timeout=5)
        return True
    return False


def rows(sql: str) -> list[tuple]:
    with transaction() as session:
        return [tuple(row) for row in session.connection().exec_driver_sql(sql)]


def assert_kept(promised: list[str], environment: dict[str, str]) -> None:
    """Each accepted photo once, in its end; nothing is left over, and the books are sound."""
    assert len(set(promised)) == len(promised)
    kept = [str(row[0]) for row in rows("SELECT session_id FROM photo_processing_sessions")]
    assert sorted(kept) == sorted(promised)
    assert count("photo_session_images WHERE status <> 'succeeded'") == 0
    assert count("s3_images") == len(promised)
    twice = "SELECT processing_session_id FROM counts GROUP BY 1 HAVING count(*) > 1"
    assert rows(twice) == []
    assert count("procrastinate_jobs WHERE status = 'failed'") == 0
    assert count("procrastinate_jobs WHERE task_name LIKE 'ml\\_%'") == 0
    assert count("blob_inbox") == 0
    checked = subprocess.run(
        [sys.executable, "-m", "demeter", "verify"],
        env=os.environ | {"PYTHONPATH": environment["PYTHONPATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def note(name: str, figures: object) -> None:
    folder = os.environ.get("DEMETER_FIGURES")
    if folder:
        (Path(folder) / f"{name}.json").write_text(json.dumps(figures, indent=1))


def test_a_machine_that_is_cut_off_and_comes_back_loses_and_doubles_nothing(site: Site) -> None:
    webs = [site.web("web1"), site.web("web2")]
    first = site.worker("worker1")
    until(lambda: count("procrastinate_workers"))
    ((first_id,),) = rows("SELECT id FROM procrastinate_workers")
    promised = [site.send(webs, n, small_photo(n)) for n in range(12)]
    mine = f"{DOING} AND worker_id = {first_id}"
    until(lambda: count(mine))
    others = [site.worker(f"worker{n}") for n in (2, 3, 4)]
    until(lambda: count("procrastinate_workers") == 4)
    until(lambda: count(mine))
    first.cut()
    cut_at = time.monotonic()
    lost = rows(f"SELECT id, args ->> 'session_image_id' FROM {mine}")
    if lost:
        taken = f"{DOING} AND id = {lost[0][0]} AND worker_id <> {first_id}"
        done = f"photo_session_images WHERE id = {lost[0][1]} AND status = 'succeeded'"
        until(lambda: count(taken) or count(done), within_s=90)
    taken_over_s = time.monotonic() - cut_at
    promised += [site.send(webs, n, small_photo(n)) for n in range(12, 18)]
    webs[1].cut()  # phones that meet it go on to the other
    with ThreadPoolExecutor(2) as both:
        promised += both.map(lambda n: site.send(webs, n, small_photo(n)), range(18, 24))
    webs[1].join()
    until(lambda: site.ask(webs[1], "/health/ready") == 200, within_s=60)
    until(lambda: not count(UNDER_WAY), within_s=900)
    counted_without_it_s = time.monotonic() - cut_at
    first.join()
    alive = "procrastinate_workers WHERE last_heartbeat > now() - interval '4 seconds'"
    back_at = time.monotonic()
    until(lambda: count(alive) == 4, within_s=120)
    back_s = time.monotonic() - back_at
    for other in others[1:]:
        other.stop()
    promised += [site.send(webs, n, small_photo(n)) for n in range(24, 34)]
    until(lambda: not count(UNDER_WAY), within_s=900)
    until(lambda: not count("blob_inbox"), within_s=120)
    time.sleep(8)  # what it still had to say has been said
    assert_kept(promised, site.environment)
    last = (site.folder / "worker1" / "log").read_text()
    after = last[last.rfind("queue_away") :]
    assert "image_counted" in after, "the machine that came back counts no more"
    note(
        "machines",
        {
            "had_a_job": bool(lost),
            "taken_over_s": round(taken_over_s, 1),
            "all_counted_without_it_s": round(counted_without_it_s, 1),
            "alive_again_s": round(back_s, 1),
            "photos": len(promised),
            "load": os.getloadavg()[0],
        },
    )


def cpu_busy_s() -> float:
    """Seconds of all cores that were not idle."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ticks = [int(word) for word in words]
    return (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def measure(site: Site, workers: int, photos: int, *command: str) -> dict[str, float]:
    """Photos an hour of so many workers, once each has begun to work."""
    web = site.web(f"w{workers}{len(command)}")
    names = [f"k{workers}{len(command)}{n}" for n in range(workers)]
    machines = [site.worker(name, *command) for name in names]
    first = 10_000 * workers + 1000 * len(command)
    bodies = [
        encoded(picture(128, 96, first + n)) if command else small_photo(first + n)
        for n in range(photos + 2 * workers)
    ]
    for n in range(2 * workers):  # the models are loaded
        site.send([web], first + n, bodies[n])
    until(lambda: not count(UNDER_WAY), within_s=600)
    done, begin, busy = count(OVER), time.monotonic(), cpu_busy_s()
    with ThreadPoolExecutor(4) as phones:
        list(
            phones.map(
                lambda n: site.send([web], first + n, bodies[n]),
                range(2 * workers, len(bodies)),
            )
        )
    until(lambda: count(OVER) >= done + photos and not count(UNDER_WAY), within_s=1800)
    seconds = time.monotonic() - begin
    cores = (cpu_busy_s() - busy) / seconds
    for machine in (*machines, web):
        machine.stop()
    return {
        "workers": workers,
        "photos_an_hour": round(3600 * photos / seconds),
        "cores_busy": round(cores, 2),
        "load": round(os.getloadavg()[0], 1),
    }


def test_photos_an_hour_at_one_two_and_four_workers(site: Site) -> None:
    photos = int(os.environ.get("PHOTOS", "24"))
    standin = "support.standin_worker"
    figures = {"vision": [measure(site, n, photos) for n in (1, 2, 4)]}
    note("throughput", figures)
    figures["without_vision"] = [measure(site, n, 4 * photos, standin) for n in (1, 2, 4)]
    note("throughput", figures)
    assert all(row["photos_an_hour"] > 0 for rows in figures.values() for row in rows)
