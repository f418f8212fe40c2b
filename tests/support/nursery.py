"""A small nursery and made-up answers of vision, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.accounts.queries import find_user
from demeter.catalog.models import LocationConfig, Product
from demeter.core.notices import Notice
from demeter.locations.models import StorageBin, StorageLocation
from demeter.photos.models import (
    CapturedAtSource,
    Image,
    PhotoSession,
    SessionImage,
    SessionImageStatus,
    SessionStatus,
    UploadSource,
)
from demeter.stock.models import StockBatch, StockMovement
from demeter.vision.values import (
    Container,
    ContainerTally,
    ContainerType,
    DetectedBox,
    EstimationMethod,
    PhotoCount,
    ResidualEstimate,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "test_fixtures.sql"
# Places, products and people; the rest of the file fills every other table.
NURSERY_SQL = FIXTURES.read_text().partition("-- What follows fills")[0]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SIDE = 1000


def plant_nursery(session: Session) -> None:
    """Insert the fixtures as another script would."""
    session.connection().exec_driver_sql(NURSERY_SQL)


def location(session: Session, code: str = "A1") -> StorageLocation:
    return session.scalars(select(StorageLocation).where(StorageLocation.code == code)).one()


def product(session: Session, code: str) -> Product:
    return session.scalars(select(Product).where(Product.code == code)).one()


def user(session: Session, name: str = "rosa") -> User:
    return find_user(session, name)


def square(x: int, y: int, side: int = 200) -> tuple[tuple[int, int], ...]:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def photo_count(
    *containers: tuple[int, int | None],
    label: str = "segment",
    at: Sequence[tuple[int, int]] | None = None,
    width: int = 4,
    residual_share: float = 0.02,
    empty: int = 0,
) -> PhotoCount:
    """An answer of vision: one (detected, estimated) a container, side by side."""
    places = at or [(10 + 250 * i, 10) for i in range(len(containers))]
    segments = tuple(
        Container(label, ContainerType.SEGMENT, square(*places[i]), 40_000, 0.92)
        for i in range(len(containers))
    )
    detections = tuple(
        DetectedBox(
            (places[i][0] + 1.0 + n, places[i][1] + 1.0, places[i][0] + 9.0 + n, 20.0),
            0.8,
            n >= plants,
            i,
        )
        for i, (plants, _) in enumerate(containers)
        for n in range(plants + empty)
    )
    return PhotoCount(
        width_px=SIDE,
        height_px=SIDE,
        containers=segments,
        detections=detections,
        estimations=tuple(
            ResidualEstimate(
                container=i,
                method=EstimationMethod.BANDS,
                estimated=estimated,
                unknown_reason=None
                if estimated is not None
                else Notice("too_few_detected", {"fewest": 5}),
                confidence=0.5,
                polygon_px=square(*places[i]),
                residual_area_px=800,
                residual_area_cm2=None,
                bands=(),
            )
            for i, (_, estimated) in enumerate(containers)
        ),
        counts=tuple(
            ContainerTally(
                container=i,
                detected=plants,
                empty=empty,
                estimated=estimated,
                residual_share=residual_share,
                interval_90=None
                if estimated is None
                else (max(0, plants + estimated - width // 2), plants + estimated + width // 2),
            )
            for i, (plants, estimated) in enumerate(containers)
        ),
        interval_90=None
        if any(e is None for _, e in containers)
        else (
            max(0, sum(p + (e or 0) for p, e in containers) - width // 2),
            sum(p + (e or 0) for p, e in containers) + width // 2,
        ),
        models={"detect": "plants@abc", "segment": "containers@def"},
        parameters={"tile_px": 640},
    )


def counted_session(
    session: Session,
    *answers: PhotoCount | None,
    code: str = "A1",
    at: datetime = NOON,
    username: str = "rosa",
) -> PhotoSession:
    """A session whose images have ended: ``None`` stands for an image that failed."""
    place, person = location(session, code), user(session, username)
    photo_session = PhotoSession(
        session_id=uuid4(),
        storage_location_id=place.location_id,
        requested_location_id=place.location_id,
        requested_location_code=place.code,
        status=SessionStatus.PROCESSING,
        captured_at=at,
        captured_at_source=CapturedAtSource.PERSON,
        uploaded_by_user_id=person.id,
        content_key=sha256(uuid4().bytes).hexdigest(),
    )
    session.add(photo_session)
    session.flush()
    for position, answer in enumerate(answers, start=1):
        image = Image(
            image_id=uuid4(),
            s3_bucket="local",
            s3_key_original=f"photos/{position}",
            sha256=photo_session.content_key,
            content_type="image/jpeg",
            file_size_bytes=1,
            width_px=SIDE,
            height_px=SIDE,
            upload_source=UploadSource.API,
            uploaded_by_user_id=person.id,
        )
        session.add(image)
        session.flush()
        photo_session.original_image_id = photo_session.original_image_id or image.image_id
        session.add(
            SessionImage(
                session_id=photo_session.id,
                image_id=image.image_id,
                position=position,
                status=SessionImageStatus.SUCCEEDED if answer else SessionImageStatus.FAILED,
                result=answer.to_json() if answer else None,
                error_message=None if answer else "PhotoTruncated: it breaks off",
                finished_at=at + timedelta(seconds=1),
            )
        )
    session.flush()
    session.refresh(photo_session)
    return photo_session


def on_hand(session: Session, code: str = "A1") -> int:
    """What the ledger holds at a location today."""
    return session.scalar(
        select(func.coalesce(func.sum(StockBatch.quantity_current), 0))
        .join(StorageBin, StorageBin.bin_id == StockBatch.current_storage_bin_id)
        .where(StorageBin.storage_location_id == location(session, code).location_id)
    )


def stock_as_of(session: Session, at: datetime, code: str = "A1") -> int:
    return session.scalar(
        select(func.coalesce(func.sum(StockMovement.quantity), 0))
        .join(StockBatch, StockBatch.id == StockMovement.batch_id)
        .join(StorageBin, StorageBin.bin_id == StockBatch.current_storage_bin_id)
        .where(
            StorageBin.storage_location_id == location(session, code).location_id,
            StockMovement.occurred_at <= at,
        )
    )


def configure(session: Session, code: str, product_code: str) -> LocationConfig:
    config = LocationConfig(
        storage_location_id=location(session, code).location_id,
        product_id=product(session, product_code).id,
        expected_product_state_id=3,
    )
    session.add(config)
    session.flush()
    return config
