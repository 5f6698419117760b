"""Hugging Face's `Trainer` as a source of runs and versions: `callbacks=[TransformersCallback("net")]`."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
# (the types of transformers are partly unknown)

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from ..errors import Refused
from .recorder import TrainingRecorder, plain_only

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments
    from transformers.trainer_callback import TrainerCallback

    from ..manager import ModelManager
    from ..results import PendingVersion, Version
else:
    try:
        from transformers.trainer_callback import TrainerCallback
    except ModuleNotFoundError as error:
        raise Refused("TransformersCallback needs transformers: pip install transformers accelerate") from error

_ALWAYS: Final = (
    "learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps",
    "weight_decay", "warmup_steps", "seed", "bf16", "fp16",
)  # fmt: skip
_PLACES: Final = re.compile(r".*(_dir|_path|_token|_file|_config)|run_name|report_to|deepspeed|.*hub.*|.*rank|project")
"""Arguments that say where something lies, or who somebody is: no fact of the training."""


class TransformersCallback(TrainerCallback):
    """Tells a training as a run, with what the trainer logs, and keeps the trained model as a version.

    `name` is the model's, else its class in kebab case. Where the trainer keeps a checkpoint, the run does too, unless
    `checkpoints` is false. Further arguments are those of `ModelManager.save_version`: branch, tags, data, ...
    `version` is what the last training became. In a training by several processes the first one tells. transformers
    says nothing of a training that raises: its run is recorded as failed where another begins, else as lost.
    """

    def __init__(
        self, name: str | None = None, *, manager: ModelManager | None = None, checkpoints: bool = True, **asked: Any
    ) -> None:
        self._recorder = TrainingRecorder(name, manager, asked)
        self._checkpoints = checkpoints

    @property
    def version(self) -> Version | PendingVersion | None:
        """The version that the last training became."""
        return self._recorder.version

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        del control
        if state.is_world_process_zero:
            self._recorder.begin(kwargs["model"], _chosen(args))

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        del args, control
        self._recorder.log(kwargs.get("logs") or {}, state.global_step)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        del args, control
        if self._checkpoints:
            self._recorder.checkpoint(kwargs["model"], kwargs.get("optimizer"), state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        del args, state, control
        self._recorder.finish(kwargs["model"], kwargs.get("optimizer"))


def _chosen(args: TrainingArguments) -> dict[str, Any]:
    """The arguments that a training goes by: those that matter for all, and those that differ from their defaults."""
    said, usual = args.to_dict(), {each.name: each.default for each in fields(args)}
    chosen = {name: said.get(name) for name in _ALWAYS} | {"optimizer": said.get("optim")}
    chosen |= {name: value for name, value in said.items() if value != usual.get(name)}
    return plain_only({name: value for name, value in chosen.items() if not _PLACES.fullmatch(name)})
