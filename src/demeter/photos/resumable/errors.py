"""What is refused about uploads in chunks."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound


class ResumableUploadNotFound(NotFound):
    """Nobody began this upload, somebody else did, or it is older than a day."""

    code = "upload_not_found"
    title = "This upload is not here"
    next_action = "Begin it again."


class ResumableUploadDiffers(Conflict):
    """The same id was used for other photos or another place."""

    code = "upload_differs"
    title = "This upload was begun with other photos"
    next_action = "Use a new id for other photos."


class ChunkMisplaced(Conflict):
    """A chunk does not begin where the last one ended; ``offset`` says where that is."""

    code = "chunk_misplaced"
    title = "The chunk does not follow the last one"
    next_action = "Go on at the offset given."


class ChunkDamaged(InvalidInput):
    """A chunk's bytes do not have the hash that came with them."""

    code = "chunk_damaged"
    title = "The chunk was damaged on its way"
    next_action = "Send it again."


class ChunkTooLong(InvalidInput):
    """A chunk is empty, longer than one may be, or leads beyond the photo's end."""

    code = "chunk_too_long"
    title = "The chunk has a wrong length"
    next_action = "Send at least one byte, at most `chunk_bytes`, and none beyond the photo's end."


class UploadIncomplete(Conflict):
    """Bytes of a photo are missing yet."""

    code = "upload_incomplete"
    title = "Not all of the photos have come"
    next_action = "Send the rest first."


class HashDiffers(InvalidInput):
    """A photo's bytes together are not those that were announced."""

    code = "hash_differs"
    title = "The photo is not the one that was announced"
    next_action = "Send it again under a new id."
