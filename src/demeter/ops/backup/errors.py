"""What can go wrong with a backup and on the way back, each by its name."""

from __future__ import annotations

from demeter.core.errors import Conflict, DomainError, InvalidInput, NotFound, Unavailable


class BackupPlaceUnusable(Unavailable):
    """The folder or bucket of the backups cannot be read or written."""

    code = "backup_place_unusable"
    title = "The place of the backups cannot be used"
    next_action = "Check its name, its room, and that you may read and write there."


class BackupNotFound(NotFound):
    """There is no finished backup, or none of this name."""

    code = "backup_not_found"
    title = "No such backup"
    next_action = "List those that are there: demeter restore SRC --list"


class BackupDamaged(InvalidInput):
    """A file of the backup is missing, cut off, or has other bytes than were written."""

    code = "backup_damaged"
    title = "A file of the backup is damaged"
    next_action = (
        "Nothing of it is in the database. Restore another backup (--list, --at NAME), or bring "
        "this file back from a copy."
    )


class BackupTooNew(Conflict):
    """The backup was made by a later Demeter than this one."""

    code = "backup_too_new"
    title = "The backup is of a later Demeter"
    next_action = "Install the version that made it, or a later one, and restore with that."


class BackupKeyWrong(InvalidInput):
    """The backup is encrypted with another key, or a key is given or missing against it."""

    code = "backup_key_wrong"
    title = "The key does not fit the backup"
    next_action = (
        "Set DEMETER_BACKUP_KEY_FILE or DEMETER_BACKUP_PASSPHRASE as they were for the first "
        "backup at this place; for another key, choose another place."
    )


class BackupUnderWay(Conflict):
    """Another backup of this installation runs."""

    code = "backup_under_way"
    title = "A backup is under way"
    next_action = "Wait for its end."


class DumpFailed(DomainError):
    """PostgreSQL's own program for dumps, or for bringing them back, refused."""

    status = 500
    code = "dump_failed"
    title = "The database could not be dumped or brought back"
    next_action = "What PostgreSQL said stands above; nothing of it was kept."


class HomeNotEmpty(Conflict):
    """The database that is to be restored into has rows of its own."""

    code = "home_not_empty"
    title = "There is something in the database already"
    next_action = (
        "Set DEMETER_HOME or DEMETER_DATABASE_URL to an empty one, or say --replace: then all "
        "that is in this database now is lost."
    )
