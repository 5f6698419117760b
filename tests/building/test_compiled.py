"""A net compiled by torch learns what it learns uncompiled, and what cannot be compiled is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from .cut import check_cut_off
from .test_trainer import rows, small


def test_a_compiled_net_learns_what_it_learns_uncompiled_and_goes_on_with_the_same_bits() -> None:
    plain = small("mlp", dropout_rate=0.0).train(*rows())
    compiled = small("mlp", dropout_rate=0.0, compiled=True).train(*rows())

    np.testing.assert_allclose(compiled.predict_proba(rows()[0]), plain.predict_proba(rows()[0]), rtol=1e-4)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    torch.compiler.reset()  # as a process of its own would begin
    check_cut_off(lambda: small("mlp", dropout_rate=0.0, compiled=True), *rows())


WITHOUT_A_COMPILER = """
import numpy as np
from lepton_ai.building.tables.model import TableModel
from lepton_ai.errors import Refused
model = TableModel()
for name, value in {"family": "mlp", "width": 16, "epochs": 2, "compiled": True, "device": "cpu"}.items():
    model.add_hyperparameter(name, value)
try:
    model.train({"a": np.arange(60.0)}, np.arange(60) % 2)
except Refused as error:
    print(error)
"""


def test_a_machine_without_a_compiler_is_told_so(tmp_path: Path) -> None:
    environment = {
        "PATH": "/nowhere",
        "CXX": "no-compiler",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_COMPILER], env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout.startswith("torch cannot compile this net here ("), done.stderr[-2000:]
    assert done.stdout.endswith("); set the hyperparameter 'compiled' to false\n")
    assert done.stdout.count("\n") == 1
