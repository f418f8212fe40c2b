"""When and where a camera says it was: read leniently, believed within reason, never an error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demeter.core.settings import settings
from demeter.core.site import site_zone
from demeter.core.wording import english
from demeter.photos import exif
from demeter.photos.models import CapturedAtSource

SITE = site_zone()
NOON = datetime(2026, 11, 26, 15, 0, tzinfo=SITE)
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ORIGINAL, DIGITIZED, CHANGED = "DateTimeOriginal", "DateTimeDigitized", "DateTime"
AT = "2026:11:26 15:00:00"


def zone(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))


READ = [
    ({ORIGINAL: AT}, NOON),
    ({DIGITIZED: AT}, NOON),
    ({CHANGED: AT}, NOON),
    ({ORIGINAL: AT, DIGITIZED: "2026:11:20 10:00:00", CHANGED: "2026:11:27 10:00:00"}, NOON),
    ({ORIGINAL: "0000:00:00 00:00:00", DIGITIZED: AT}, NOON),
    ({ORIGINAL: "    :  :     :  :  ", DIGITIZED: AT}, NOON),
    ({ORIGINAL: "", DIGITIZED: "   ", CHANGED: AT}, NOON),
    ({ORIGINAL: "nonsense", CHANGED: AT}, NOON),
    ({ORIGINAL: "2026-11-26 15:00:00"}, NOON),
    ({ORIGINAL: "2026/11/26 15:00:00"}, NOON),
    ({ORIGINAL: "2026.11.26 15.00.00"}, NOON),
    ({ORIGINAL: "2026:11:26T15:00:00"}, NOON),
    ({ORIGINAL: "2026-11-26T15:00:00.250"}, NOON + timedelta(milliseconds=250)),
    ({ORIGINAL: "2026:11:26 15:00:00.25"}, NOON + timedelta(milliseconds=250)),
    ({ORIGINAL: "2026:11:26 15:00"}, NOON),
    ({ORIGINAL: "2026:11:26  15:00:00"}, NOON),
    ({ORIGINAL: AT, "SubsecTimeOriginal": "5"}, NOON + timedelta(milliseconds=500)),
    ({ORIGINAL: AT, "SubsecTimeOriginal": "half"}, NOON),
    ({ORIGINAL: f"{AT}+02:00"}, NOON.replace(tzinfo=zone(2))),
    ({ORIGINAL: f"{AT} -0300"}, NOON.replace(tzinfo=zone(-3))),
    ({ORIGINAL: f"{AT}Z"}, NOON.replace(tzinfo=UTC)),
    ({ORIGINAL: f"{AT}+02:00", "OffsetTimeOriginal": "+05:00"}, NOON.replace(tzinfo=zone(2))),
    ({ORIGINAL: AT, "OffsetTimeOriginal": "+05:30"}, NOON.replace(tzinfo=zone(5.5))),
    ({ORIGINAL: AT, "OffsetTimeOriginal": "Z"}, NOON.replace(tzinfo=UTC)),
    ({ORIGINAL: AT, "OffsetTime": "+02:00"}, NOON.replace(tzinfo=zone(2))),
    (
        {ORIGINAL: AT, "OffsetTimeOriginal": "  :  ", "OffsetTime": "+02:00"},
        NOON.replace(tzinfo=zone(2)),
    ),
    ({ORIGINAL: AT, "OffsetTimeOriginal": "+99:00"}, NOON),
    (
        {DIGITIZED: AT, "OffsetTimeDigitized": "+01:00", "OffsetTime": "+02:00"},
        NOON.replace(tzinfo=zone(1)),
    ),
    (
        {CHANGED: AT, "OffsetTime": "-04:00", "OffsetTimeOriginal": "+02:00"},
        NOON.replace(tzinfo=zone(-4)),
    ),
    ({ORIGINAL: "2026:11:26 24:00:00"}, datetime(2026, 11, 27, tzinfo=SITE)),
    ({ORIGINAL: "2026:12:31 24:00:00"}, datetime(2027, 1, 1, tzinfo=SITE)),
    ({ORIGINAL: "2026:11:26 15:59:60"}, NOON + timedelta(minutes=59, seconds=59)),
]


@pytest.mark.parametrize(("tags", "expected"), READ)
def test_a_time_is_read_as_people_write_it(tags: dict, expected: datetime) -> None:
    assert exif.camera_time(tags) == exif.CameraTime(expected.astimezone(UTC))


ABSENT = [{}, {ORIGINAL: ""}, {ORIGINAL: "0000:00:00 00:00:00"}, {ORIGINAL: "    :  :     :  :  "}]
UNREAD = [
    {CHANGED: 2026},
    {ORIGINAL: "yesterday"},
    {ORIGINAL: "2026:11:26"},
    {ORIGINAL: "2026:13:26 15:00:00"},
    {ORIGINAL: "2026:02:30 15:00:00"},
    {ORIGINAL: "2026:11:26 25:00:00"},
    {ORIGINAL: "2026:11:26 15:61:00"},
    {ORIGINAL: "0001:01:01 00:00:00"},
    {ORIGINAL: "9999:12:31 23:59:59"},
    {ORIGINAL: "9999:12:31 24:00:00"},
    {ORIGINAL: "٢٠٢٦:11:26 15:00:00"},
    {ORIGINAL: [2026, 11, 26]},
]


@pytest.mark.parametrize("tags", ABSENT)
def test_blanks_and_zeros_are_no_time(tags: dict) -> None:
    assert exif.camera_time(tags) == exif.CameraTime()
    moment = exif.moment([("a.jpg", exif.camera_time(tags))], None, NOW)
    assert (moment.source, moment.warnings) == (CapturedAtSource.RECEIVED, ())


@pytest.mark.parametrize("tags", UNREAD)
def test_a_time_that_cannot_be_read_is_told_by_its_photo(tags: dict) -> None:
    moment = exif.moment([("a.jpg", exif.camera_time(tags))], None, NOW)
    assert (moment.captured_at, moment.source) == (NOW, CapturedAtSource.RECEIVED)
    (warning,) = moment.warnings
    sentence = english(warning)
    assert "'a.jpg'" in sentence
    assert str(next(iter(tags.values())))[:10] in sentence
    assert sentence.endswith("The time of receipt is used.")
    json.dumps(warning.to_json())


FORMATS = [
    "%Y:%m:%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y:%m:%d %H:%M:%S.%f",
    "%Y:%m:%dT%H:%M:%S.%f",
]
ZONES = ["America/Argentina/Mendoza", "Pacific/Kiritimati", "Asia/Kathmandu", "Pacific/Pago_Pago"]


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2999, 12, 31)),  # noqa: DTZ001  local ones
    st.sampled_from(FORMATS),
    st.sampled_from(ZONES),
    st.none() | st.integers(-14 * 60, 14 * 60),
    st.booleans(),
)
def test_each_date_in_each_form_and_zone_is_the_moment_that_was_meant(
    local: datetime, form: str, site: str, offset: int | None, is_in_text: bool
) -> None:
    if "%f" not in form:
        local = local.replace(microsecond=0)
    text, tags = local.strftime(form), {}
    if local.year < 1000:
        return
    meant = ZoneInfo(site)
    if offset is not None:
        meant = timezone(timedelta(minutes=offset))
        written = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
        text, tags = (text + written, {}) if is_in_text else (text, {"OffsetTime": written})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "time_zone", site)
        at = exif.camera_time({ORIGINAL: text, **tags}).at
    assert at == local.replace(tzinfo=meant).astimezone(UTC)


VALUES = (
    st.none()
    | st.text(max_size=30)
    | st.integers()
    | st.floats()
    | st.lists(st.floats(), max_size=4)
)


@given(
    st.dictionaries(
        st.sampled_from([name for row in exif._TIMES for name in row]),
        VALUES | st.from_regex(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d([+-]\d\d:\d\d)?", fullmatch=True),
    ),
    st.sampled_from(ZONES),
)
def test_no_tag_is_an_error(tags: dict, site: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "time_zone", site)
        time = exif.camera_time(tags)
    moment = exif.moment([("a.jpg", time)], None, NOW)
    assert moment.captured_at <= NOW
    assert (moment.source is CapturedAtSource.EXIF) == (
        time.at is not None and NOW - timedelta(days=30) <= time.at <= NOW + exif.CLOCK_TOLERANCE
    )
    for warning in moment.warnings:
        assert english(warning)


def camera(at: datetime) -> exif.CameraTime:
    return exif.CameraTime(at)


def test_the_latest_believable_time_counts_and_the_other_is_named() -> None:
    good, earlier = NOW - timedelta(days=2), NOW - timedelta(days=3)
    clock_of_2030 = camera(datetime(2030, 1, 1, tzinfo=UTC))
    times = [
        ("early.jpg", camera(earlier)),
        ("2030.jpg", clock_of_2030),
        ("good.jpg", camera(good)),
        ("bare.jpg", exif.CameraTime()),
        ("odd.jpg", exif.CameraTime(unread="noon")),
    ]
    moment = exif.moment(times, None, NOW)
    assert (moment.captured_at, moment.source) == (good, CapturedAtSource.EXIF)
    first, second = map(english, moment.warnings)
    assert "'2030.jpg'" in first
    assert first.endswith("The time of another photo is used.")
    assert "'odd.jpg'" in second


@pytest.mark.parametrize(
    ("age", "is_believed"),
    [
        (timedelta(days=30), True),
        (timedelta(days=30, seconds=1), False),
        (timedelta(0), True),
        (-timedelta(minutes=4), True),
        (-timedelta(minutes=6), False),
    ],
)
def test_a_time_is_believed_for_thirty_days_and_not_in_advance(age, is_believed: bool) -> None:
    moment = exif.moment([("a.jpg", camera(NOW - age))], None, NOW)
    assert (moment.source is CapturedAtSource.EXIF) is is_believed
    assert bool(moment.warnings) is not is_believed
    assert moment.captured_at <= NOW


def test_the_persons_time_needs_no_word_about_the_cameras() -> None:
    moment = exif.moment([("a.jpg", camera(datetime(2030, 1, 1, tzinfo=UTC)))], NOON, NOW)
    assert (moment.captured_at, moment.source, moment.warnings) == (
        NOON,
        CapturedAtSource.PERSON,
        (),
    )


def gps(latitude, north, longitude, east, **more) -> dict:
    tags = {
        "GPSLatitude": latitude,
        "GPSLatitudeRef": north,
        "GPSLongitude": longitude,
        "GPSLongitudeRef": east,
        **more,
    }
    return {name: value for name, value in tags.items() if value is not None}


DMS = ([32.0, 53.0, 58.56], [68.0, 51.0, 35.46])
HERE = (-32.8996, -68.85985)


@pytest.mark.parametrize(
    "tags",
    [
        gps(DMS[0], "S", DMS[1], "W"),
        gps(DMS[0], "s", DMS[1], "west"),
        gps([-32.0, 53.0, 58.56], "S", [-68.0, 51.0, 35.46], "W"),
        gps([-32.0, -53.0, -58.56], "S", [-68.0, -51.0, -35.46], "W"),
        gps([32.8996, 0.0, 0.0], "S", [68.85985, 0.0, 0.0], "W"),
        gps([32.8996], "S", [68.85985], "W"),
        gps(32.8996, "S", 68.85985, "W"),
        gps(-32.8996, "S", -68.85985, "W"),
        gps(-32.8996, None, -68.85985, None),
        gps(-32.8996, "", -68.85985, ""),
        gps([32.0, 53.976, 0.0], "S", [68.0, 51.591, 0.0], "W"),
    ],
)
def test_a_place_south_and_west_is_that_however_it_is_written(tags: dict) -> None:
    at = exif.position(tags)
    assert at is not None
    assert (at.latitude, at.longitude) == pytest.approx(HERE, abs=1e-5)
    assert at.error_m == settings().gps_error_m


@pytest.mark.parametrize(
    "tags",
    [
        {},
        gps(*DMS[:1], None, DMS[1], None),
        gps(DMS[0], "S", DMS[1], None),
        gps(DMS[0], None, None, "W"),
        gps(-32.9, "N", 68.8, "E"),
        gps([91.0, 0.0, 0.0], "S", DMS[1], "W"),
        gps(DMS[0], "S", [181.0, 0.0, 0.0], "W"),
        gps([32.0, 75.0, 0.0], "S", DMS[1], "W"),
        gps([32.0, None, 0.0], "S", DMS[1], "W"),
        gps([], "S", DMS[1], "W"),
        gps([1.0] * 4, "S", DMS[1], "W"),
        gps("32.9", "S", DMS[1], "W"),
        gps([float("nan")], "S", DMS[1], "W"),
        gps([0.0, 0.0, 0.0], "N", [0.0, 0.0, 0.0], "E"),
        gps(DMS[0], "?", DMS[1], "W"),
    ],
)
def test_a_place_that_is_not_sure_is_none(tags: dict) -> None:
    assert exif.position(tags) is None


@pytest.mark.parametrize(
    ("stated", "error_m"), [(3.5, 3.5), (0, 10), (-1, 10), ("near", 10), (None, 10)]
)
def test_the_error_that_a_camera_states_is_taken_where_it_is_one(stated, error_m: float) -> None:
    at = exif.position(gps(DMS[0], "S", DMS[1], "W", GPSHPositioningError=stated))
    assert at is not None
    assert at.error_m == error_m


@given(st.dictionaries(st.sampled_from(list(gps(1, "N", 1, "E", GPSHPositioningError=1))), VALUES))
def test_no_place_is_an_error(tags: dict) -> None:
    at = exif.position(tags)
    assert at is None or (abs(at.latitude) <= 90 and abs(at.longitude) <= 180 and at.error_m > 0)


def test_tags_are_kept_as_text() -> None:
    assert exif.as_json({"B": [1.5, None], "A": "word", "C": 3, "D": None}) == {
        "A": "word",
        "B": "(1.5, )",
        "C": "3",
        "D": "",
    }
