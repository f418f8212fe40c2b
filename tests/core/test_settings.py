from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from demeter.core.settings import Settings
from demeter.vision.networks.openvino_runner import Precision


def test_the_precisions_of_the_settings_are_those_that_networks_run_in():
    allowed = get_args(Settings.model_fields["precision"].annotation)
    assert allowed == tuple(p.value for p in Precision)


def test_another_precision_is_refused_with_those_that_are_allowed(monkeypatch):
    monkeypatch.setenv("DEMETER_PRECISION", "f16")
    with pytest.raises(ValidationError, match="'f32' or 'bf16'"):
        Settings()
