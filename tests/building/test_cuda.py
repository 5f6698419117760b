"""The trainer on a CUDA device: mixed precision, gradients that are scaled, parameters in parts, compiled nets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from lepton_ai.errors import Refused

from .cut import Cuts, to_its_end
from .test_trainer import rows, small

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_mixed_precision_learns_and_goes_on_with_its_scale(precision: str) -> None:
    plan: dict[str, Any] = {"device": "cuda", "precision": precision, "dropout_rate": 0.2}
    whole = small("mlp", **plan).train(*rows())
    often, cuts = small("mlp", **plan), Cuts([4, 9])
    to_its_end(lambda progress: often.train(*rows(), progress=progress), cuts)

    assert whole.settings["precision"] == precision
    assert whole.settings["device"] == "cuda"
    assert math.isfinite(whole.settings["held_out_loss"])
    np.testing.assert_allclose(often.predict_proba(rows()[0]), whole.predict_proba(rows()[0]), atol=1e-2)


@pytest.mark.parametrize("sharded", [False, True])
def test_as_many_processes_as_devices_learn_what_one_learns(sharded: bool) -> None:
    plan: dict[str, Any] = {"device": "cuda", "precision": "float32", "dropout_rate": 0.0}
    alone = small("mlp", **plan).train(*rows())
    devices = 1 if sharded else min(2, torch.cuda.device_count())
    together = small("mlp", **plan, devices=devices, sharded=sharded).train(*rows())

    np.testing.assert_allclose(together.predict_proba(rows()[0]), alone.predict_proba(rows()[0]), rtol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_compiled_net_learns_what_it_learns_uncompiled(precision: str) -> None:
    plan: dict[str, Any] = {"device": "cuda", "precision": precision, "dropout_rate": 0.0}
    plain = small("mlp", **plan).train(*rows())
    compiled = small("mlp", **plan, compiled=True).train(*rows())

    at_most = 1e-4 if precision == "float32" else 2e-2
    np.testing.assert_allclose(compiled.predict_proba(rows()[0]), plain.predict_proba(rows()[0]), atol=at_most)


def test_more_processes_than_devices_are_refused() -> None:
    many = torch.cuda.device_count() + 1
    with pytest.raises(Refused, match=f"{many} CUDA devices are asked for and {many - 1} are here; lower 'devices'"):
        small("mlp", device="cuda", devices=many).train(*rows())
    with pytest.raises(Refused, match="a device each, not 'cuda:0'"):
        small("mlp", device="cuda:0", devices=2).train(*rows())
