"""What reading a table refuses; a feature's own error names its kind of file."""

from __future__ import annotations

from typing import Any, Self

from demeter.core.errors import InvalidInput
from demeter.core.notices import Notice
from demeter.core.tabular.remarks import Remark, Remarks, placed_sentence, remark_read


class TableRefused(InvalidInput):
    """A file of rows cannot be taken; nothing of it is.

    ``faults`` has a remark for each fault, the first 200 of them; ``fault_count`` counts all;
    ``warnings`` says what else is odd.
    """

    code = "table_refused"
    title = "The table cannot be taken"
    next_action = "Correct what is named and send the file again."

    @classmethod
    def because(cls, notice: Notice, **place: Any) -> Self:
        """One fault; ``place`` are fields of a `Remark`."""
        remarks = Remarks()
        remarks.add_fault(Remark(notice, **place))
        return cls.of(remarks)

    @classmethod
    def of(cls, remarks: Remarks, **context: Any) -> Self:
        """All faults that were noted."""
        return cls(remarks.sentence(), **remarks.as_json(), **context)


class CellRefused(InvalidInput):
    """A cell does not say what its column asks for."""

    code = "cell_refused"
    title = "A cell is wrong"
    next_action = "Correct the cell that is named and send the file again."

    def __init__(self, remark: Remark) -> None:
        super().__init__(
            placed_sentence(remark), faults=[remark_read(remark).model_dump(mode="json")]
        )
        self.remark = remark


def too_large(most: int, what: str, **place: Any) -> TableRefused:
    """More than can be read; ``what`` is a key of the texts under ``limit``."""
    return TableRefused.because(Notice("table_too_large", {"most": most, "what": what}), **place)
