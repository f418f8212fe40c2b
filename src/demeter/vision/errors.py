"""What vision and its training refuse, as errors a caller can tell apart."""

from __future__ import annotations

from demeter.core.errors import InvalidInput


class ModelRefused(InvalidInput):
    """A model file cannot serve the task it was given for; the reason says what did not fit."""

    code = "model_refused"
    title = "The model cannot be used"

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}", file=file, reason=reason)
        self.file = file
        self.reason = reason


class ImageRefused(InvalidInput):
    """What was handed over is no upright RGB picture of 8 bits a channel."""

    code = "image_refused"
    title = "Not a picture that can be counted"


class LabelsRefused(InvalidInput):
    """Labels of an evaluation folder cannot be read; names the file and what is wrong."""

    code = "labels_refused"
    title = "The labels cannot be read"


class ScenesRefused(InvalidInput):
    """Rendered pictures cannot be written to a folder; says which file and why."""

    code = "scenes_refused"
    title = "The pictures cannot be rendered there"


class TrainingDataRefused(InvalidInput):
    """A folder of training pictures is not what training needs; the message says why."""

    code = "training_data_refused"
    title = "The training pictures cannot be used"


class WeightsDoNotFit(InvalidInput):
    """A weights file is not YOLOX-nano as it is published, nor a checkpoint of ours."""

    code = "weights_do_not_fit"
    title = "The starting weights cannot be used"
