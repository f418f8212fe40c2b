"""Which photos and pictures the settings no longer keep, asked of the rows that name them.

A content goes only if every row that names it lets it go, and nothing else needs it: the inbox,
a model, a sample picture of a product, or another photo whose picture has the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.core.blob_drops import DroppedKind
from demeter.core.settings import Settings


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One kind of content, and how many days it is kept after it came or was last used."""

    kind: DroppedKind
    days: int
    keep_truth: bool

    @property
    def words(self) -> str:
        """As a row of ``dropped_blobs`` says it: by the settings' names."""
        name = f"{self.kind}_keep_days={self.days}"
        if self.kind is DroppedKind.OVERLAY:
            return name
        return f"{name} photo_keep_truth={str(self.keep_truth).lower()}"


@dataclass(frozen=True, slots=True)
class DueContent:
    """What may go: its hash, and its bytes where a row knows them."""

    sha256: str
    size_bytes: int | None


def rules_of(configured: Settings) -> list[RetentionRule]:
    """The rules that are set, none by default; pictures before photos."""
    days = {
        DroppedKind.OVERLAY: configured.overlay_keep_days,
        DroppedKind.PHOTO: configured.photo_keep_days,
    }
    return [
        RetentionRule(kind, count, configured.photo_keep_truth)
        for kind, count in days.items()
        if count is not None
    ]


def due_contents(
    session: Session, rule: RetentionRule, sha256: str | None = None
) -> list[DueContent]:
    """What a rule lets go now, in the order of hashes; of one hash where it is named."""
    only = {
        DroppedKind.PHOTO: "AND i.sha256 = :sha256",
        DroppedKind.OVERLAY: "AND right(i.s3_key_processed, 64) = :sha256",
    }[rule.kind]
    query = _QUERIES[rule.kind].format(only=only if sha256 else "")
    facts = {"days": rule.days, "keep_truth": rule.keep_truth, "sha256": sha256}
    return [DueContent(*row) for row in session.execute(text(query), facts)]


# A period is that which ends after the photo was taken, first of all that do.
_IN_CLOSED_PERIOD = """
    (SELECT p.status = 'closed' FROM periods p WHERE p.boundary_at > s.captured_at
     ORDER BY p.boundary_at LIMIT 1) IS TRUE
"""
_IS_OVER = """
    s.status IN ('completed', 'discarded')
    AND greatest(s.captured_at, s.created_at, s.posted_at, s.validation_date)
        < now() - make_interval(days => :days)
"""
_IS_TRUTH = """
    (s.validated OR EXISTS (
        SELECT FROM detection_corrections c WHERE c.session_id = s.id
    ) OR EXISTS (
        SELECT FROM counts n JOIN container_counts b ON b.count_id = n.id
        WHERE n.processing_session_id = s.id AND b.human_corrected IS NOT NULL))
"""
_SESSIONS = """
    EXISTS (SELECT FROM photo_session_images x WHERE x.image_id = i.image_id)
    AND NOT EXISTS (
        SELECT FROM photo_session_images x
        JOIN photo_processing_sessions s ON s.id = x.session_id
        WHERE x.image_id = i.image_id AND NOT ({may_go}))
"""
# A photo that is sent again for the same place touches its row: it is kept anew from then on.
_IS_OLD = "greatest(i.created_at, i.updated_at) < now() - make_interval(days => :days)"
_FREE = """
    NOT EXISTS (SELECT FROM blob_inbox b WHERE b.sha256 = {name})
    AND NOT EXISTS (SELECT FROM vision_models v WHERE v.blob_sha256 = {name})
    AND NOT EXISTS (SELECT FROM s3_images o WHERE right(o.s3_key_thumbnail, 64) = {name})
    AND NOT EXISTS (
        SELECT FROM dropped_blobs d WHERE d.sha256 = {name} AND d.returned_at IS NULL)
"""
_PHOTO_MAY_GO = f"{_IS_OVER} AND {_IN_CLOSED_PERIOD} AND NOT (:keep_truth AND {_IS_TRUTH})"
_PHOTOS = f"""
SELECT i.sha256, max(i.file_size_bytes) FROM s3_images i
WHERE {_FREE.format(name="i.sha256")}
    AND NOT EXISTS (SELECT FROM s3_images o WHERE right(o.s3_key_processed, 64) = i.sha256)
    {{only}}
GROUP BY i.sha256
HAVING bool_and({_IS_OLD} AND {_SESSIONS.format(may_go=_PHOTO_MAY_GO)}
    AND NOT EXISTS (SELECT FROM product_sample_images y WHERE y.image_id = i.image_id))
ORDER BY i.sha256
"""  # noqa: S608  our own words
_OVERLAYS = f"""
SELECT right(i.s3_key_processed, 64) AS name, NULL FROM s3_images i
WHERE i.s3_key_processed IS NOT NULL AND {_FREE.format(name="right(i.s3_key_processed, 64)")}
    AND NOT EXISTS (SELECT FROM s3_images o WHERE o.sha256 = right(i.s3_key_processed, 64))
    {{only}}
GROUP BY name
HAVING bool_and({_IS_OLD} AND {_SESSIONS.format(may_go=_IS_OVER)})
ORDER BY name
"""  # noqa: S608  our own words
_QUERIES = {DroppedKind.PHOTO: _PHOTOS, DroppedKind.OVERLAY: _OVERLAYS}
