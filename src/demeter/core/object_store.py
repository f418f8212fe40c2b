"""The object store: a directory under home or a bucket, with a breaker before it.

A store that keeps failing is left alone for a while; keys are the content's SHA-256.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from demeter.core.errors import DomainError, Unavailable
from demeter.core.settings import settings


class ObjectStoreUnavailable(Unavailable):
    """The object store does not answer; bytes stay in the inbox meanwhile."""

    code = "object_store_unavailable"
    title = "The object store does not answer"
    next_action = "Nothing is lost: it is tried again by itself."


class BlobMissing(DomainError):
    """No place holds these bytes."""

    status = 500
    code = "blob_missing"
    title = "The photo's bytes are nowhere to be found"
    next_action = "Upload the photo again, then ask an administrator to check the object store."


def key_of(sha256: str) -> str:
    """Where the object store keeps them."""
    return f"photos/{sha256[:2]}/{sha256}"


def bucket() -> str:
    """The name under which images record the store in use."""
    return settings().object_store_url or "local"


@dataclass
class Breaker:
    """Stops asking a store that keeps failing, for a while that doubles each time."""

    failures: int = 0
    open_until: float = 0.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0

    def check(self) -> None:
        """Raise at once while the store is taken to be down."""
        wait_s = self.open_until - time.monotonic()
        if wait_s > 0:
            raise ObjectStoreUnavailable(f"the object store failed; next try in {wait_s:.0f} s")

    def note_failure(self) -> None:
        """Count a failure; from the third on, wait before the next try."""
        self.failures += 1
        if self.failures >= 3:  # noqa: PLR2004  one or two failures are weather
            wait_s = self.first_wait_s * 2 ** min(self.failures - 3, 10)
            self.open_until = time.monotonic() + min(wait_s, self.longest_wait_s)

    def note_success(self) -> None:
        """Forget past failures."""
        self.failures, self.open_until = 0, 0.0


class Store:
    """The object store behind its breaker."""

    def __init__(self, backend: ObjectStore) -> None:
        self._backend = backend
        self._breaker = Breaker()

    def put(self, sha256: str, body: bytes) -> None:
        """Store durably under the content's key."""
        self._breaker.check()
        try:
            obstore.put(self._backend, key_of(sha256), body)
            if isinstance(self._backend, LocalStore):
                _flush(Path(str(self._backend.prefix)) / key_of(sha256))
        except (BaseError, OSError) as error:
            self._breaker.note_failure()
            raise ObjectStoreUnavailable(f"could not store {key_of(sha256)}") from error
        self._breaker.note_success()

    def get(self, sha256: str) -> bytes:
        """The object's bytes, unchecked."""
        self._breaker.check()
        try:
            body = obstore.get(self._backend, key_of(sha256)).bytes().to_bytes()
        except FileNotFoundError as error:
            raise BlobMissing(f"no place holds {key_of(sha256)}", sha256=sha256) from error
        except (BaseError, OSError) as error:
            self._breaker.note_failure()
            raise ObjectStoreUnavailable(f"could not read {key_of(sha256)}") from error
        self._breaker.note_success()
        return body

    def remove(self, sha256: str) -> None:
        """Let go of the object; one that is not there is gone already."""
        self._breaker.check()
        try:
            obstore.delete(self._backend, key_of(sha256))
        except FileNotFoundError:
            pass
        except (BaseError, OSError) as error:
            self._breaker.note_failure()
            raise ObjectStoreUnavailable(f"could not remove {key_of(sha256)}") from error
        self._breaker.note_success()

    def size(self, sha256: str) -> int | None:
        """Bytes of the object, or ``None`` where it is not there."""
        self._breaker.check()
        try:
            size = obstore.head(self._backend, key_of(sha256))["size"]
        except FileNotFoundError:
            size = None
        except (BaseError, OSError) as error:
            self._breaker.note_failure()
            raise ObjectStoreUnavailable(f"could not look at {key_of(sha256)}") from error
        self._breaker.note_success()
        return size

    def sizes(self, prefix: str) -> dict[str, int]:
        """Objects whose hash begins with these two digits, with their bytes."""
        self._breaker.check()
        try:
            return {
                meta["path"].rsplit("/", 1)[-1]: meta["size"]
                for page in obstore.list(self._backend, prefix=f"photos/{prefix}")
                for meta in page
            }
        except (BaseError, OSError) as error:
            self._breaker.note_failure()
            raise ObjectStoreUnavailable(f"could not list photos/{prefix}") from error


def _flush(path: Path) -> None:
    """Past the page cache, file and directory: the inbox lets go after this."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@lru_cache(maxsize=1)
def store() -> Store:
    """The store of this process: a directory under home unless a URL is set."""
    url = settings().object_store_url
    if url is None:
        return Store(LocalStore(prefix=settings().home / "objects", mkdir=True))
    # Short here: the job that moves bytes has its own, longer, patience.
    return Store(
        from_url(
            url,
            client_options={"allow_http": True, "timeout": "30s", "connect_timeout": "5s"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
        )
    )
