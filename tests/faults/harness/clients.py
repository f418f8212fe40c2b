"""The people of a run: what they do, what they were promised, and what they keep asking for.

A person asks again until there is an answer, as phones and programs do: with the same key, or
with the same photo. What was promised is kept here, for the judge.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx2

from harness.ground import COUNTED_BED, PERIOD, Photo
from harness.installation import Installation
from harness.plan import Act, Plan
from support.pictures import encoded, picture
from support.upserver import TOKEN

ASK_FOR_S = 240.0
AGAIN_AFTER_S = 0.4
UNAVAILABLE = 503
OUTAGES = (UNAVAILABLE, 507)  # 507: a disk is full, and it says so
TOO_EARLY_CODES = {"count_state"}  # the photo is not counted yet


@dataclass
class Promises:
    """What people were told, in their own words and numbers."""

    sessions: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (sha256, bed) → ids
    refused: set[str] = field(default_factory=set)  # hashes that must be nowhere
    deaths: dict[str, int] = field(default_factory=dict)  # movement_id → plants, acknowledged
    hand_counts: dict[str, int] = field(default_factory=dict)  # movement_id → plants
    corrections: dict[int, int] = field(default_factory=dict)  # container_id → plants
    is_month_closed: bool = False
    imported: list[str] = field(default_factory=list)  # product codes
    backups: int = 0
    asked: Counter[str] = field(default_factory=Counter)  # answers by status
    odd_answers: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


class People:
    """Some clients, each in a thread of its own, over a plan's acts."""

    def __init__(self, installation: Installation, photos: tuple[Photo, ...], plan: Plan) -> None:
        self.promises = Promises()
        self._installation = installation
        self._photos = photos
        self._plan = plan
        self._lock = threading.Lock()
        self._begin = 0.0
        self.last_photo_at = 0.0  # when the last one was accepted, by the monotonic clock
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Everybody starts."""
        self._begin = time.monotonic()
        for client in sorted({act.client for act in self._plan.acts}):
            own = [act for act in self._plan.acts if act.client == client]
            thread = threading.Thread(target=self._live, args=(own,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def wait(self) -> None:
        """Until everybody has an answer to everything."""
        for thread in self._threads:
            thread.join(ASK_FOR_S * 3)
            if thread.is_alive():
                self.promises.unanswered.append("a client hangs")

    def _live(self, acts: list[Act]) -> None:
        for act in acts:
            time.sleep(max(0.0, self._begin + act.at_s - time.monotonic()))
            try:
                getattr(self, f"_{act.kind}")(act)
            except Exception as error:  # noqa: BLE001  a client's fault is a finding, too
                self.promises.odd_answers.append(f"{act.kind}: {type(error).__name__}: {error}")

    def _key(self, act: Act) -> str:
        """The same in every repetition of a seed."""
        words = f"{self._plan.seed} {act.at_s} {act.client} {act.kind} {act.details}"
        return str(UUID(bytes=sha256(words.encode()).digest()[:16], version=4))

    def _ask_until_answered(
        self,
        what: str,
        method: str,
        path: str,
        *,
        may_come: Callable[[httpx2.Response], bool] = lambda _: False,
        **parts: Any,
    ) -> httpx2.Response | None:
        """The answer that is none of an outage; ``may_come`` says what is worth asking again."""
        end = time.monotonic() + ASK_FOR_S
        while time.monotonic() < end:
            answer = self._ask(what, method, path, **parts)
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code not in OUTAGES and not may_come(answer):
                self._note_odd(what, answer)
                if answer.status_code < 500:
                    return None
            time.sleep(AGAIN_AFTER_S)
        self.promises.unanswered.append(what)
        return None

    def _ask(self, what: str, method: str, path: str, **parts: Any) -> httpx2.Response | None:
        try:
            answer = self._installation.ask(method, path, **parts)
        except httpx2.TransportError as error:
            with self._lock:
                self.promises.asked[type(error).__name__] += 1
            return None
        with self._lock:
            self.promises.asked[str(answer.status_code)] += 1
        if answer.status_code == UNAVAILABLE and "retry-after" not in answer.headers:
            self.promises.odd_answers.append(f"{what}: 503 without Retry-After")
        return answer

    def _note_odd(self, what: str, answer: httpx2.Response) -> None:
        self.promises.odd_answers.append(f"{what}: {answer.status_code} {answer.text[:300]}")

    def _upload(self, act: Act) -> None:
        photo, bed = self._photos[act.details["photo"]], act.details["bed"]
        headers = {"Idempotency-Key": self._key(act)} if act.details["with_key"] else {}
        answer = self._ask_until_answered(
            f"upload {photo.name} of {bed}",
            "POST",
            "/stock/photo",
            files=[("files", (photo.name, photo.body))],
            data={"location_code": bed},
            headers=headers,
        )
        if answer is not None:
            with self._lock:
                ids = self.promises.sessions.setdefault((photo.sha256, bed), set())
                ids.add(answer.json()["session_id"])
                self.last_photo_at = time.monotonic()

    def _refused_upload(self, act: Act) -> None:
        """A photo that breaks off in the middle."""
        whole = encoded(picture(256, 256, act.details["number"]))
        body = whole[: len(whole) // 2]
        self.promises.refused.add(sha256(body).hexdigest())
        files = [("files", ("broken.jpg", body))]
        answer = None
        for _ in range(3):
            answer = self._ask(
                "broken photo", "POST", "/stock/photo", files=files, data={"location_code": "A1"}
            )
            if answer is not None and answer.status_code not in OUTAGES:
                break
            time.sleep(AGAIN_AFTER_S)
        if answer is not None and answer.status_code not in (422, *OUTAGES):
            self._note_odd("broken photo", answer)

    def _broken_off_upload(self, act: Act) -> None:
        """A phone that goes away in the middle of a whole photo."""
        body = encoded(picture(512, 512, 5000 + act.details["number"]))
        self.promises.refused.add(sha256(body).hexdigest())
        form = (
            b'--cut\r\nContent-Disposition: form-data; name="files"; filename="cut.jpg"\r\n\r\n'
            + body[: len(body) // 2]
        )
        head = (
            f"POST /api/v1/stock/photo HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {TOKEN}\r\nContent-Length: {2 * len(body)}\r\n"
            "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
        )
        try:
            with socket.create_connection(("127.0.0.1", self._installation.port), 5) as phone:
                phone.sendall(head.encode() + form)
        except OSError:
            return

    def _report_deaths(self, act: Act) -> None:
        key = self._key(act)
        body = {
            "movement_id": key,
            "movement_type": "muerte",
            "quantity": act.details["plants"],
            "location_code": COUNTED_BED,
        }
        answer = self._ask_until_answered("deaths", "POST", "/stock/movements", json=body)
        if answer is not None:
            self.promises.deaths[key] = act.details["plants"]

    def _count_by_hand(self, act: Act) -> None:
        key = self._key(act)
        body = {
            "movement_id": key,
            "location_code": COUNTED_BED,
            "plants": act.details["plants"],
        }
        answer = self._ask_until_answered("count by hand", "POST", "/stock/counts", json=body)
        if answer is not None:
            self.promises.hand_counts[key] = act.details["plants"]

    def _look(self, _: Act) -> None:
        for path in ("/stock/on-hand", "/photos/sessions"):
            answer = self._ask(f"look at {path}", "GET", path)
            if answer is not None and answer.status_code not in (200, *OUTAGES):
                self._note_odd(f"look at {path}", answer)

    def _correct(self, act: Act) -> None:
        """A person says another number of a container of the first photo that was counted."""
        container = self._container_of_a_photo()
        if container is None:
            self.promises.unanswered.append("no photo was counted to correct")
            return
        count_id, container_id = container
        plants = act.details["number"]
        body = {
            "movement_id": self._key(act),
            "containers": [{"container_id": container_id, "plants": plants}],
        }
        answer = self._ask_until_answered(
            "correct",
            "POST",
            f"/stock/counts/{count_id}/correct",
            json=body,
            may_come=lambda a: a.json().get("code") in TOO_EARLY_CODES,
        )
        if answer is not None:
            self.promises.corrections[container_id] = plants

    def _container_of_a_photo(self) -> tuple[int, int] | None:
        end = time.monotonic() + ASK_FOR_S
        while time.monotonic() < end:
            answer = self._ask("list counts", "GET", "/stock/counts")
            if answer is not None and answer.is_success:
                for count in reversed(answer.json()["items"]):
                    container = self._seen_container(count)
                    if container is not None:
                        return container
            time.sleep(AGAIN_AFTER_S)
        return None

    def _seen_container(self, count: dict[str, Any]) -> tuple[int, int] | None:
        if count.get("session_id") is None or count["posted_at"] is None:
            return None
        answer = self._ask("read a count", "GET", f"/stock/counts/{count['count_id']}")
        if answer is None or not answer.is_success:
            return None
        seen = [c for c in answer.json()["containers"] if c["machine_detected"] is not None]
        return (count["count_id"], seen[0]["container_id"]) if seen else None

    def _close_month(self, act: Act) -> None:
        answer = self._ask_until_answered(
            "close the month",
            "POST",
            f"/periods/{PERIOD}/close",
            json={},
            headers={"Idempotency-Key": self._key(act)},
        )
        self.promises.is_month_closed = answer is not None

    def _import_list(self, act: Act) -> None:
        number = act.details["number"]
        codes = [f"IMP-{number}-{n}" for n in range(20)]
        text = "nombre,codigo\n" + "".join(f"Planta {code},{code}\n" for code in codes)
        started = self._ask_until_answered(
            "start an import",
            "POST",
            "/imports",
            files=[("files", ("list.csv", text.encode()))],
            data={"kind": "products"},
            headers={"Idempotency-Key": self._key(act)},
        )
        if started is None:
            return
        applied = self._ask_until_answered(
            "carry an import out",
            "POST",
            f"/imports/{started.json()['id']}/apply",
            json={"leave_undecided": True},
            headers={"Idempotency-Key": f"{self._key(act)}-apply"},
        )
        if applied is not None:
            self.promises.imported += codes

    def _backup(self, _: Act) -> None:
        """Asked for until it is made; the folder is the run's."""
        end = time.monotonic() + ASK_FOR_S
        words = ""
        while time.monotonic() < end:
            done = self._installation.command("backup", str(self._installation.folder / "backup"))
            if done.returncode == 0:
                self.promises.backups += 1
                return
            words = done.stderr[-300:]
            time.sleep(AGAIN_AFTER_S)
        self.promises.unanswered.append(f"backup: {words}")
