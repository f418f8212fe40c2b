"""What is refused about an import, naming it."""

from __future__ import annotations

from demeter.core.errors import Conflict, InvalidInput, NotFound


class ImportNotFound(NotFound):
    """There is no such import."""

    code = "import_not_found"
    title = "No such import"
    next_action = "List the imports and choose one of them."


class ImportProfileNotFound(NotFound):
    """There is no such profile, or it is of another kind of file."""

    code = "import_profile_not_found"
    title = "No such import profile"
    next_action = "List the profiles and choose one of them, or leave it out."


class ImportKindUnknown(InvalidInput):
    """Nothing tells what the file is a list of."""

    code = "import_kind_unknown"
    title = "It cannot be seen what this file lists"
    next_action = "Name the kind of list, or a profile."


class ImportColumnsMissing(InvalidInput):
    """Columns without which no row can be read are not named."""

    code = "import_columns_missing"
    title = "Columns of this file are not known"
    next_action = "Say which column of the file is which."


class ImportFilesWrong(InvalidInput):
    """No file, or more than one list."""

    code = "import_files_wrong"
    title = "These files cannot be imported together"
    next_action = "Send the files of one survey, or one list."


class ImportNeedsChoice(Conflict):
    """Rows wait for a person's word; nothing was written."""

    code = "import_needs_choice"
    title = "A person has to decide about some rows"
    next_action = "Accept or leave the rows that are named, and import again."


class ImportNotOpen(Conflict):
    """The import was carried out, taken back or cancelled already."""

    code = "import_not_open"
    title = "This import is closed"
    next_action = "Send the files again to begin another one."


class ImportInUse(Conflict):
    """What an import made is in use by now, so it cannot be taken back."""

    code = "import_in_use"
    title = "What was imported is in use"
    next_action = "Take back what rests on it first, or change the rows one by one."


class ImportHasNoSheet(Conflict):
    """Only a list of seedling trays that was carried out makes a count sheet."""

    code = "import_has_no_sheet"
    title = "This import makes no count sheet"
    next_action = "Import a list of seedling trays first."
