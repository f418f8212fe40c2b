"""The mark of a restore that was begun: it says so until the restore has ended well."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from demeter.core.errors import Conflict
from demeter.core.settings import settings

UNDER_WAY = "restore-under-way.json"


class RestoreUnfinished(Conflict):
    """A restore was begun here and did not come to its end."""

    code = "restore_unfinished"
    title = "A restore did not come to its end"
    next_action = "Run the same `demeter restore` again; it goes on where it stopped."


def begin(backup: str, place: str) -> None:
    """A restore of this backup begins in this home."""
    begun_at = datetime.now(UTC).isoformat(timespec="seconds")
    begun = {"backup": backup, "place": place, "begun_at": begun_at}
    (settings().home / UNDER_WAY).write_text(json.dumps(begun))


def end() -> None:
    """It ended well."""
    (settings().home / UNDER_WAY).unlink(missing_ok=True)


def names(backup: str, place: str) -> bool:
    """Whether a restore of this backup was begun here and not ended."""
    path = settings().home / UNDER_WAY
    begun = json.loads(path.read_text() or "{}") if path.exists() else {}
    return (begun.get("backup"), begun.get("place")) == (backup, place)


def require_finished() -> None:
    """Refuse to go on with a home into which a restore was begun and not ended.

    Raises:
        RestoreUnfinished
    """
    path = settings().home / UNDER_WAY
    if path.exists():
        begun = json.loads(path.read_text() or "{}")
        raise RestoreUnfinished(
            "the restore of {backup} from {place}, begun {begun_at}, was cut off".format_map(
                {"backup": "a backup", "place": "somewhere", "begun_at": "some time ago"} | begun
            ),
            **begun,
        )
