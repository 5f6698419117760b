"""AdamW steps as torch's own class does, to the last bit, and without its compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from lepton_ai.models.credit.adamw import AdamW


def test_its_steps_are_those_of_torchs_class_to_the_last_bit() -> None:
    torch.manual_seed(3)
    ours, theirs = ([nn.Parameter(torch.randn(7, 3)), nn.Parameter(torch.randn(4))] for _ in range(2))
    for parameter, twin in zip(ours, theirs, strict=True):
        twin.data.copy_(parameter.data)
    own = AdamW([(ours[:1], 0.1), (ours[1:], 0.0)], 0.01)
    reference = torch.optim.AdamW(
        [{"params": theirs[:1], "weight_decay": 0.1}, {"params": theirs[1:], "weight_decay": 0.0}], lr=0.01
    )
    for _ in range(30):
        for parameter, twin in zip(ours, theirs, strict=True):
            parameter.grad = torch.randn_like(parameter)
            twin.grad = parameter.grad.clone()
        own.step()
        reference.step()
    for parameter, twin in zip(ours, theirs, strict=True):
        assert torch.equal(parameter, twin)
    own.zero_grad()
    assert all(parameter.grad is None for parameter in ours)


def test_it_goes_on_from_its_slots_and_refuses_those_of_another_net() -> None:
    parameter = nn.Parameter(torch.ones(3))
    first, second = (AdamW([([parameter], 0.0)], 0.1) for _ in range(2))
    parameter.grad = torch.ones(3)
    first.step()
    second.restore({0: {name: value.clone() for name, value in first.slots[0].items()}})
    assert all(torch.equal(first.slots[0][name], value) for name, value in second.slots[0].items())
    with pytest.raises(ValueError, match="another shape"):
        second.restore({0: {name: torch.zeros(2) for name in first.slots[0]}})


def test_a_training_imports_no_compiler() -> None:
    script = (
        "import sys; from lepton_ai.models import CreditScoringModel\n"
        "model = CreditScoringModel().add_hyperparameter('epochs', 1)\n"
        "model.train({'x': [0.0, 1.0] * 20}, [0, 1] * 20)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
