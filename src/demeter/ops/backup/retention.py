"""Which backups stay: the last of each day, week and month, as the settings say; others go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from demeter.core import logs
from demeter.core.settings import Settings
from demeter.core.site import site_zone
from demeter.ops.backup.blob_list import FormerBlobs
from demeter.ops.backup.repository import Repository
from demeter.ops.backup.run import blob_name

log = logs.get(__name__)


def names_to_keep(names: Sequence[str], configured: Settings) -> set[str]:
    """Of names, oldest first, those that stay; the last one always does."""
    kept = set(names[-1:])
    kept |= _last_of_each(names, configured.backup_keep_days, lambda day: day)
    kept |= _last_of_each(names, configured.backup_keep_weeks, lambda day: day.isocalendar()[:2])
    kept |= _last_of_each(names, configured.backup_keep_months, lambda day: (day.year, day.month))
    return kept


def _last_of_each(names: Sequence[str], count: int, span_of: Callable[[date], object]) -> set[str]:
    """The last name of each of the latest so many spans in which there is one."""
    last: dict[object, str] = {}
    for name in reversed(names):
        span = span_of(_day_of(name))
        if span not in last:
            if len(last) == count:
                break
            last[span] = name
    return set(last.values())


def _day_of(name: str) -> date:
    moment = datetime.strptime(name.rstrip("+"), "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    return moment.astimezone(site_zone()).date()


def clear_old(repository: Repository, configured: Settings, folder: Path) -> int:
    """Remove backups that need not stay, then the blobs that none of the others names.

    Manifests go first: a backup whose files go is none any more. Returns how many went.

    Raises:
        BackupDamaged: a list cannot be read; then no blob is removed.
    """
    names = repository.names()
    kept = names_to_keep(names, configured)
    old = [name for name in names if name not in kept]
    for name in old:
        repository.forget(name)
    if old:
        _clear_blobs(repository, sorted(kept), folder)
        log.info("old_backups_removed", place=repository.place.address, backups=old)
    return len(old)


def _clear_blobs(repository: Repository, kept: list[str], folder: Path) -> None:
    lists = []
    for name in kept:
        path = folder / f"kept-{name}.gz"
        repository.fetch(repository.manifest(name).blobs, path)
        lists.append(FormerBlobs(path))
    for number in range(256):
        prefix = f"{number:02x}"
        named = {
            blob_name(repository, sha256) for entries in lists for sha256 in entries.of(prefix)
        }
        for file in repository.place.sizes(f"photos/{prefix}").keys() - named:
            repository.place.delete(file)
