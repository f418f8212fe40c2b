"""What training refuses."""

from __future__ import annotations

from demeter.core.errors import InvalidInput


class TrainingDataRefused(InvalidInput):
    """A folder of training pictures is not what training needs; the message says why."""

    code = "training_data_refused"
    title = "The training pictures cannot be used"


class WeightsDoNotFit(InvalidInput):
    """A weights file is not YOLOX-nano as it is published, nor a checkpoint of ours."""

    code = "weights_do_not_fit"
    title = "The starting weights cannot be used"
