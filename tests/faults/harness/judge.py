"""What a run must hold when all is whole again: each promise kept once, and books that add up."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
import psycopg

from harness.clients import Promises
from harness.ground import COUNTED_BED, PERIOD, Photo
from harness.installation import Installation
from harness.plan import Plan

Kind = Literal["lost", "doubled", "stuck", "late", "half", "wrong", "unclear"]
WITHIN_S = 60.0  # of recovery, each accepted photo has its end
WAITED_S = 400.0  # so that what is late can be told from what never comes
OWN_TASKS = (
    "('ml_parent_task', 'ml_child_task', 'ml_aggregation_callback', 'store_blob', "
    "'retry_waiting_counts')"
)
UNDER_WAY = {
    "sessions": "SELECT count(*) FROM photo_processing_sessions "
    "WHERE status IN ('pending', 'processing')",
    "inbox": "SELECT count(*) FROM blob_inbox",
    "jobs": "SELECT count(*) FROM procrastinate_jobs "
    f"WHERE status IN ('todo', 'doing') AND task_name IN {OWN_TASKS}",
}
STOCK = """
SELECT l.code,
    (SELECT coalesce(sum(b.quantity_current), 0) FROM stock_batches b
     JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
     WHERE s.storage_location_id = l.location_id),
    latest.plants + coalesce((
        SELECT sum(m.quantity) FROM stock_movements m
        JOIN stock_batches b ON b.id = m.batch_id
        JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
        WHERE s.storage_location_id = l.location_id AND m.count_id IS NULL
          AND m.closing_id IS NULL AND m.occurred_at > latest.captured_at), 0)
FROM storage_locations l CROSS JOIN LATERAL (
    SELECT plants, captured_at FROM counts c
    WHERE c.storage_location_id = l.location_id AND c.posted_at IS NOT NULL
      AND c.voided_at IS NULL
    ORDER BY c.captured_at DESC, c.id DESC LIMIT 1) AS latest
"""
HALF = {
    "a completed session without a posted count": """
        SELECT s.id FROM photo_processing_sessions s
        LEFT JOIN counts c ON c.processing_session_id = s.id AND c.voided_at IS NULL
        WHERE s.status = 'completed' AND c.posted_at IS NULL""",
    "a session with several counts": """
        SELECT processing_session_id FROM counts WHERE voided_at IS NULL
          AND processing_session_id IS NOT NULL
        GROUP BY processing_session_id HAVING count(*) > 1""",
    "a posted count of a session that has not completed": """
        SELECT s.id FROM photo_processing_sessions s
        JOIN counts c ON c.processing_session_id = s.id AND c.voided_at IS NULL
        WHERE s.status <> 'completed' AND c.posted_at IS NOT NULL""",
    "other detections than the session says": """
        SELECT s.id FROM photo_processing_sessions s
        WHERE s.status = 'completed' AND s.total_detected IS DISTINCT FROM (
            SELECT count(*) FROM detections d WHERE d.session_id = s.id
              AND NOT d.is_empty_container AND d.attempt = s.attempt)""",
    "a bin without a container of a count": """
        SELECT b.bin_id FROM storage_bins b WHERE NOT EXISTS (
            SELECT FROM container_counts c WHERE c.bin_id = b.bin_id)
          AND NOT EXISTS (SELECT FROM stock_batches l WHERE l.current_storage_bin_id = b.bin_id)""",
}


@dataclass(frozen=True)
class Finding:
    """Something that does not hold."""

    kind: Kind
    text: str


class Judge:
    """Looks at an installation after its faults, beside what people were promised."""

    def __init__(
        self, installation: Installation, promises: Promises, photos: tuple[Photo, ...], plan: Plan
    ) -> None:
        self._installation = installation
        self._promises = promises
        self._photos = {photo.sha256: photo for photo in photos}
        self._plan = plan
        self.recovery_s: float | None = None

    def wait(self, over_at: float) -> None:
        """Until nothing is under way any more; ``over_at`` is when the last fault was over."""
        end = time.monotonic() + WAITED_S
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError, httpx2.TransportError):
                left = self._under_way()
                if not any(left.values()) and self._installation.is_ready():
                    self.recovery_s = max(0.0, time.monotonic() - over_at)
                    return
            time.sleep(0.5)

    def _under_way(self) -> dict[str, int]:
        return {what: self._installation.query(sql)[0][0] for what, sql in UNDER_WAY.items()}

    def findings(self) -> list[Finding]:
        """All that does not hold."""
        looks = (
            self._time,
            self._sessions,
            self._refused,
            self._jobs,
            self._stock,
            self._halves,
            self._reports,
            self._corrections,
            self._month_and_import,
            self._verify,
            self._backup,
            self._answers,
        )
        found = []
        for look in looks:
            try:
                found += look()
            except Exception as error:  # noqa: BLE001  a look that fails is a finding
                found.append(Finding("wrong", f"{look.__name__}: {type(error).__name__}: {error}"))
        return found

    def _rows(self, sql: str) -> list[Any]:
        return self._installation.query(sql)

    def _time(self) -> Iterator[Finding]:
        if self.recovery_s is None:
            yield Finding("stuck", f"after {WAITED_S:.0f} s there is left: {self._under_way()}")
        elif self.recovery_s > WITHIN_S:
            yield Finding("late", f"recovered after {self.recovery_s:.0f} s only")

    def _sessions(self) -> Iterator[Finding]:
        rows = self._rows(
            """SELECT s.session_id::text, i.sha256, s.requested_location_code, s.status::text,
                   s.reason_code, s.total_detected, s.error_message
            FROM photo_processing_sessions s
            JOIN photo_session_images p ON p.session_id = s.id
            JOIN s3_images i ON i.image_id = p.image_id"""
        )
        known = {row[0] for row in rows}
        for (sha256, bed), ids in self._promises.sessions.items():
            if not ids <= known:
                yield Finding("lost", f"accepted and not there: {ids - known} ({bed})")
            if len(ids) > 1:
                yield Finding("doubled", f"one photo, several sessions: {ids} ({sha256[:8]} {bed})")
        twice = [key for key, n in Counter((r[1], r[2]) for r in rows).items() if n > 1]
        for sha256, bed in twice:
            yield Finding("doubled", f"photo {sha256[:8]} of {bed} is in two sessions")
        for session_id, sha256, bed, status, reason, detected, words in rows:
            photo = self._photos.get(sha256)
            name = f"session {session_id} ({bed}): {status} {reason} {words or ''}"
            if photo is None:
                yield Finding("wrong", f"a photo that nobody sent: {name}")
            elif status == "failed" or reason in ("image_failed", "no_image_counted"):
                yield Finding("lost", name)
            elif status in ("completed", "needs_review") and detected != photo.plants:
                yield Finding("wrong", f"{detected} plants, not {photo.plants}: {name}")

    def _refused(self) -> Iterator[Finding]:
        hashes = sorted(self._promises.refused)
        rows = self._installation.query(
            "SELECT sha256 FROM s3_images WHERE sha256 = ANY(%s) "
            "UNION SELECT sha256 FROM blob_inbox WHERE sha256 = ANY(%s)",
            (hashes, hashes),
        )
        for (sha256,) in rows:
            yield Finding("wrong", f"a refused photo is kept: {sha256}")

    def _jobs(self) -> Iterator[Finding]:
        failed = self._rows(
            "SELECT task_name, args::text FROM procrastinate_jobs "
            f"WHERE status NOT IN ('todo', 'doing') AND task_name IN {OWN_TASKS}"
        )
        for task, arguments in failed:
            yield Finding("lost", f"a job failed: {task} {arguments}")

    def _stock(self) -> Iterator[Finding]:
        for bed, on_hand, expected in self._rows(STOCK):
            if on_hand != expected:
                kind = "doubled" if on_hand > expected else "lost"
                yield Finding(kind, f"{bed} has {on_hand} plants, its counts say {expected}")

    def _halves(self) -> Iterator[Finding]:
        for what, sql in HALF.items():
            for row in self._rows(sql):
                yield Finding("half", f"{what}: {row[0]}")

    def _reports(self) -> Iterator[Finding]:
        written = Counter[str]()
        plants = Counter[str]()
        for fact_id, quantity in self._rows(
            "SELECT fact_id::text, quantity FROM stock_movements "
            "WHERE movement_type = 'muerte' AND fact_id IS NOT NULL"
        ):
            written[fact_id] += 1
            plants[fact_id] -= quantity
        for key, number in self._promises.deaths.items():
            if plants[key] != number:
                kind = "lost" if plants[key] < number else "doubled"
                yield Finding(kind, f"{number} deaths were told, {plants[key]} are written ({key})")
        for key, number in self._promises.hand_counts.items():
            rows = self._rows(
                f"SELECT c.plants FROM stock_facts f JOIN counts c "
                f"ON c.id = (f.answer ->> 'count_id')::bigint WHERE f.movement_id = '{key}'"
            )
            if [row[0] for row in rows] != [number]:
                yield Finding("lost", f"a count of {number} at {COUNTED_BED} became {rows}")

    def _corrections(self) -> Iterator[Finding]:
        for container_id, plants in self._promises.corrections.items():
            rows = self._rows(
                f"SELECT human_corrected FROM container_counts WHERE id = {container_id}"
            )
            if rows != [(plants,)]:
                yield Finding("lost", f"container {container_id} was corrected to {plants}: {rows}")
            notes = self._rows(
                f"SELECT count(*) FROM count_corrections WHERE container_count_id = {container_id}"
            )
            if notes[0][0] != 1:
                yield Finding("doubled", f"container {container_id} has {notes[0][0]} corrections")

    def _month_and_import(self) -> Iterator[Finding]:
        status, closings, pairs = self._rows(
            f"""SELECT p.status::text,
                (SELECT count(*) FROM period_closings c WHERE c.period_id = p.id),
                (SELECT count(*) FROM stock_movements m WHERE m.closing_id IN
                    (SELECT id FROM period_closings c WHERE c.period_id = p.id))
            FROM periods p WHERE p.code = '{PERIOD}'"""
        )[0]
        if self._promises.is_month_closed and status != "closed":
            yield Finding("lost", f"the month was closed and is {status}")
        if (status == "closed") != bool(closings) or (closings, pairs) not in ((0, 0), (1, 2)):
            yield Finding("half", f"month {status}: {closings} closings, {pairs} movements")
        codes = {row[0] for row in self._rows("SELECT code FROM products WHERE code LIKE 'IMP-%'")}
        applied = self._rows("SELECT count(*) FROM import_runs WHERE status = 'applied'")[0][0]
        if not set(self._promises.imported) <= codes:
            yield Finding("lost", f"imported and not there: {self._promises.imported}")
        if len(codes) not in (0, 20) or applied != bool(codes):
            yield Finding("half", f"{applied} imports carried out, {len(codes)} rows are there")

    def _verify(self) -> Iterator[Finding]:
        done = self._installation.command("verify", "--deep", "--json")
        try:
            document = json.loads(done.stdout)
        except ValueError:
            yield Finding("wrong", f"verify says nothing: {done.stdout[:200]} {done.stderr[-500:]}")
            return
        for check in document["checks"]:
            if check["wrong"]:
                yield Finding("wrong", f"verify: {check['title']}: {check['examples'][:3]}")
        if not document["sound"]:
            yield Finding("wrong", f"verify: {document['blobs']}")

    def _backup(self) -> Iterator[Finding]:
        """What is there is whole, whatever became of the process that made it."""
        place = self._installation.folder / "backup"
        if not any(act.kind == "backup" for act in self._plan.acts):
            return
        done = self._installation.command("restore", str(place), "--check")
        if done.returncode:
            yield Finding("wrong", f"the last backup: {done.stdout[-300:]} {done.stderr[-300:]}")

    def _answers(self) -> Iterator[Finding]:
        for words in self._promises.odd_answers:
            yield Finding("unclear", words)
        for words in self._promises.unanswered:
            yield Finding("stuck", f"never answered: {words}")
