"""What the API says about photos. ``null`` is "not known", with a reason beside it; never 0."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from demeter.core.notices import Notice
from demeter.core.pagination import Page
from demeter.core.schemas import Output
from demeter.photos.models import CapturedAtSource, SessionImageStatus, SessionStatus, UploadSource
from demeter.stock.models import MovementType, SourceType
from demeter.vision.values import ContainerType, CountUnit

Interval = tuple[int, int]


class UploadRead(Output):
    """One session that took photos in; they are safe from here on."""

    session_id: UUID
    status: SessionStatus
    is_new: bool = Field(description="false: these photos were here before, nothing was added")
    location_code: str | None
    reason_code: str | None
    next_action: str | None
    warnings: list[str] = Field(description="English; `notices` say the same")
    notices: list[Notice] = Field(description="warnings as codes with their numbers")
    poll_url: str = Field(description="GET it until `status` is an end")
    watch_url: str = Field(description="progress as server-sent events")
    page_url: str = Field(description="the same for a person")


class SessionLocation(Output):
    """A location, and where it lies."""

    location_id: int
    code: str
    name: str
    area_code: str
    warehouse_code: str


class LocationSuggestion(Output):
    """A location near the photo's GPS position."""

    location_id: int
    code: str
    distance_m: float


class ImageRead(Output):
    """One photo of a session and where its pictures are."""

    image_id: UUID
    position: int
    filename: str | None
    content_type: str
    width_px: int
    height_px: int
    upload_source: UploadSource
    state: SessionImageStatus
    progress: float
    error_code: str | None
    error_message: str | None
    original_url: str
    view_url: str = Field(description="upright, in a format that browsers show")
    screen_url: str = Field(description="the view with sides of 2,048 px at most")
    processed_url: str | None = Field(description="with everything counted drawn on it")
    dropped_at: datetime | None = Field(
        description="since when the photo itself is no longer kept; its addresses answer 410"
    )
    thumbnail_url: str
    detections_url: str | None


class BinReference(Output):
    """A storage bin, by id and code."""

    bin_id: int
    code: str


class SessionMovement(Output):
    """One row of the ledger that this session wrote."""

    id: int
    movement_id: UUID
    movement_type: MovementType
    source_type: SourceType
    quantity: int
    occurred_at: datetime
    batch_id: int
    batch_code: str
    bin: BinReference
    reverses_movement_id: int | None


class SessionBatch(Output):
    """A lot in a bin that this session counted, as it stands now."""

    batch_id: int
    batch_code: str
    bin: BinReference
    product_code: str
    product_name: str
    quantity_current: int


class SessionContainer(Output):
    """One container: the machine's answer, the person's, the answer now, and what it changed.

    ``seen`` is false for a bin that was expected in the photo and is not there.
    """

    index: int | None
    image_id: UUID | None
    seen: bool
    container_type: ContainerType | None
    machine_detected: int | None
    machine_estimated: int | None
    machine_empty: int | None
    unknown_reason: str | None = Field(description="English; `unknown_notice` says the same")
    unknown_notice: Notice | None
    human_corrected: int | None
    answer: int | None
    interval_90: Interval | None
    residual_share: float | None
    confidence: float | None
    bin: BinReference | None
    ledger_before: int | None
    difference: int | None
    movement: SessionMovement | None


class SessionCount(Output):
    """One attempt's count of the location, and whether it stands in the ledger."""

    count_id: int
    attempt: int | None
    unit: CountUnit | None
    containers: int
    posted_at: datetime | None
    voided_at: datetime | None


class SessionSummary(Output):
    """A session in a list."""

    session_id: UUID
    status: SessionStatus
    reason_code: str | None
    next_action: str | None
    attempt: int
    progress: float = Field(ge=0, le=1)
    created_at: datetime
    captured_at: datetime
    posted_at: datetime | None
    location_code: str | None
    total: int | None = Field(description="plants, detected and estimated")
    total_detected: int | None
    total_estimated: int | None
    total_empty_containers: int | None
    interval_90: Interval | None
    photos: int
    thumbnail_url: str | None
    poll_url: str
    page_url: str


class SessionPage(Page[SessionSummary]):
    """A page of sessions, latest first."""


class SessionRead(Output):
    """Everything known about one session."""

    session_id: UUID
    status: SessionStatus
    is_end: bool = Field(description="nothing more happens by itself")
    reason_code: str | None
    next_action: str | None
    error_message: str | None
    reasons: list[Notice] = Field(
        description="why it waits, the first is `reason_code`; empty where it does not"
    )
    warnings: list[str] = Field(description="English; `notices` say the same")
    notices: list[Notice] = Field(description="warnings as codes with their numbers")
    attempt: int
    progress: float = Field(ge=0, le=1)
    created_at: datetime
    captured_at: datetime
    captured_at_source: CapturedAtSource
    posted_at: datetime | None
    uploaded_by: str
    location: SessionLocation | None
    requested_location_id: int | None
    requested_location_code: str | None
    suggestions: list[LocationSuggestion]
    unit: CountUnit | None = Field(description="what the totals count; null before it is counted")
    total: int | None = Field(description="the number now: corrections included")
    total_detected: int | None
    total_estimated: int | None
    total_empty_containers: int | None
    interval_90: Interval | None
    unknown_reason: str | None = Field(description="why a total above is null")
    avg_confidence: float | None
    validated: bool
    validated_by: str | None
    validation_date: datetime | None
    images: list[ImageRead]
    containers: list[SessionContainer]
    batches: list[SessionBatch]
    movements: list[SessionMovement]
    counts: list[SessionCount]
    models: dict[str, str]
    parameters: dict[str, Any]
    actions: list[str] = Field(
        description="what a person can do now; POST to `{poll_url}/{action}`"
    )
    poll_url: str
    watch_url: str
    page_url: str


class ImageProgress(Output):
    """How far one image is."""

    position: int
    state: SessionImageStatus
    progress: float


class SecondsRange(Output):
    """How long something takes: at least, and at most, as it went lately."""

    low: int
    high: int


class SessionProgress(Output):
    """How far a session is; an event of the stream, and small enough to poll."""

    status: SessionStatus
    is_end: bool
    reason_code: str | None
    attempt: int
    progress: float
    workers_alive: int = Field(description="0: the photo waits, safely, for a worker to start")
    photos_ahead: int = Field(description="photos in line before the first of these")
    seconds_left: SecondsRange | None = Field(
        description="until the last of these is counted; null where no worker is alive, too "
        "little was measured, or nothing is under way"
    )
    images: list[ImageProgress]


class ContainerOutline(Output):
    """A container's outline and its index from 1 over the whole session."""

    index: int
    container_type: str
    confidence: float
    polygon: list[tuple[int, int]]
    whole_frame: bool


class ImageDetections(Output):
    """What was seen in one image, compact, for drawing; pixels of the upright image.

    A row of ``plants`` and ``empties`` is [x1, y1, x2, y2, confidence in percent, index of the
    container from 1].
    """

    image_id: UUID
    position: int
    width_px: int
    height_px: int
    containers: list[ContainerOutline]
    plants: list[list[int]]
    empties: list[list[int]]
    residual: list[list[tuple[int, int]]]


class GalleryPhoto(Output):
    """A photo of a session, as a gallery shows it: no numbers, so that none is given away."""

    image_id: UUID
    session_id: UUID
    position: int
    status: SessionStatus
    reason_code: str | None
    captured_at: datetime
    sender: str
    location_code: str | None
    location_name: str | None
    thumbnail_url: str


class GalleryPage(Page[GalleryPhoto]):
    """Photos, last received first."""


class ImageUse(Output):
    """A session that counted a photo, and what became of it."""

    session_id: UUID
    status: SessionStatus
    reason_code: str | None
    location_code: str | None
    captured_at: datetime
    attempt: int
    posted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None


class ImageDetail(Output):
    """A photo's file, what its camera wrote, where it was taken, and its sessions."""

    image_id: UUID
    filename: str | None
    content_type: str
    size_bytes: int
    width_px: int
    height_px: int
    sha256: str
    captured_at: datetime | None = Field(description="as the camera or a person said")
    received_at: datetime
    upload_source: UploadSource
    sender: str
    latitude: float | None
    longitude: float | None
    position_error_m: float | None
    exif: dict[str, Any]
    view_url: str
    screen_url: str
    thumbnail_url: str
    dropped_at: datetime | None = Field(description="since when the photo is no longer kept")
    uses: list[ImageUse] = Field(description="last first")
