"""Lightning's `Trainer` as a source of runs and versions: `Trainer(callbacks=[LightningCallback("net")])`."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
# (Lightning's types are partly unknown)

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import Refused
from .recorder import TrainingRecorder, plain_only

if TYPE_CHECKING:
    from pytorch_lightning import Callback, LightningModule, Trainer
    from pytorch_lightning.loggers import Logger

    from ..manager import ModelManager
    from ..results import PendingVersion, Version
else:
    # whoever trains by the package `lightning` has that; both have the same classes
    package = "lightning.pytorch" if "lightning.pytorch" in sys.modules else "pytorch_lightning"
    try:
        __import__(f"{package}.loggers")
    except ModuleNotFoundError as error:
        raise Refused("LightningCallback needs Lightning: pip install pytorch-lightning") from error
    Callback, Logger = sys.modules[package].Callback, sys.modules[f"{package}.loggers"].Logger

_OF_TRAINER: Final = ("max_epochs", "max_steps", "precision", "accumulate_grad_batches", "gradient_clip_val")


class LightningCallback(Callback):
    """Tells a fit as a run, with what the module logs, and keeps the fitted module as a version.

    `name` is the model's, else the module's class in kebab case. Where Lightning keeps a checkpoint, the run does too,
    unless `checkpoints` is false. Further arguments are those of `ModelManager.save_version`: branch, tags, data, ...
    `version` is what the last fit became. In a fit by several processes the first one tells.
    """

    def __init__(
        self, name: str | None = None, *, manager: ModelManager | None = None, checkpoints: bool = True, **asked: Any
    ) -> None:
        super().__init__()
        self._recorder = TrainingRecorder(name, manager, asked)
        self._checkpoints = checkpoints

    @property
    def version(self) -> Version | PendingVersion | None:
        """The version that the last fit became."""
        return self._recorder.version

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        del pl_module
        told = any(isinstance(each, RunLogger) and each.tells(self._recorder) for each in trainer.loggers)
        if stage == "fit" and not told:
            trainer.loggers = [*trainer.loggers, RunLogger(self._recorder)]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        chosen = {name: getattr(trainer, name) for name in _OF_TRAINER}
        for optimizer in trainer.optimizers[:1]:
            chosen |= {"optimizer": type(optimizer).__name__} | plain_only(optimizer.defaults)
        self._recorder.begin(pl_module, plain_only({**chosen, **pl_module.hparams}))

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        del checkpoint
        if self._checkpoints and trainer.is_global_zero:
            self._recorder.checkpoint(pl_module, _optimizer(trainer), trainer.global_step)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # other callbacks have put averaged parameters in by now
        if trainer.is_global_zero:
            self._recorder.finish(pl_module, _optimizer(trainer))

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        del trainer, pl_module
        self._recorder.fail(exception)


def _optimizer(trainer: Trainer) -> Any:
    """The optimizer of a fit; None where there are several, of which none is the fit's."""
    return trainer.optimizers[0] if len(trainer.optimizers) == 1 else None


class RunLogger(Logger):
    """What a module logs, as points of the run."""

    def __init__(self, recorder: TrainingRecorder) -> None:
        super().__init__()
        self._recorder = recorder

    def tells(self, recorder: TrainingRecorder) -> bool:
        """Whether it tells a recorder."""
        return recorder is self._recorder

    @property
    def name(self) -> str:
        return "lepton"

    @property
    def version(self) -> str | None:
        return None if self._recorder.run is None else self._recorder.run.id

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run has them from its beginning."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._recorder.log(metrics, step or 0)
