"""The processes that learn together, as the trainer sees them: this one alone, or one of several."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

if TYPE_CHECKING:
    from torch.distributed.fsdp import FSDPModule
    from torch.nn.parallel import DistributedDataParallel


class Group:
    """One process that learns alone."""

    rank = 0
    size = 1
    joined = False

    def holder(self, module: nn.Module) -> nn.Module:
        """What holds the parameters while they learn."""
        return module

    def learner(self, holder: nn.Module) -> nn.Module:
        """What is called to learn, over the holder's parameters."""
        return holder

    def share(self, places: Tensor) -> Tensor:
        """This process's part of some examples."""
        return places

    def draw(self, seed: int, step: int, batch: int) -> None:
        """Have the next batch of a step draw what is this process's own."""

    def summing(self, learner: nn.Module, last: bool) -> AbstractContextManager[object]:
        """Inside, gradients are summed over the processes where a step's last batch is learnt from."""
        del learner, last
        return nullcontext()

    def sum(self, value: Tensor) -> Tensor:
        """The sum of each process's."""
        return value

    def settle(self, module: nn.Module) -> None:
        """Have all processes judge by the first one's buffers."""

    def part(self) -> None:
        """All have learnt; what comes behind is the first one's alone."""


class Several(Group):
    """One of the processes of torch's default process group.

    Each learns from its share of each batch and has the sum of all gradients, so the mathematics is that of one. What
    is random in a batch (dropout, varied pictures) is drawn from the seed, the step and the rank.
    """

    joined = True

    def __init__(self) -> None:
        self.rank = torch.distributed.get_rank()
        self.size = torch.distributed.get_world_size()
        self._buffers = False

    def holder(self, module: nn.Module) -> nn.Module:
        """The module, in which batch norm sees all processes' examples where the device can do that."""
        self._buffers = any(isinstance(part, _BatchNorm) for part in module.modules())
        if self._buffers and next(module.parameters()).device.type == "cuda":
            return cast("nn.Module", nn.SyncBatchNorm.convert_sync_batchnorm(module))  # pyright: ignore[reportUnknownMemberType]
        return module

    def learner(self, holder: nn.Module) -> nn.Module:
        """The holder, each backward pass of which sums gradients (DistributedDataParallel)."""
        from torch.nn.parallel import DistributedDataParallel

        # an encoder may have parts that no loss depends on
        return DistributedDataParallel(holder, broadcast_buffers=self._buffers, find_unused_parameters=True)

    def share(self, places: Tensor) -> Tensor:
        """Every process has nearly as many."""
        return places.tensor_split(self.size)[self.rank]

    def draw(self, seed: int, step: int, batch: int) -> None:
        """Seed torch's own generators."""
        torch.manual_seed(int(np.random.SeedSequence((seed, step, batch, self.rank)).generate_state(1, np.uint64)[0]))

    def summing(self, learner: nn.Module, last: bool) -> AbstractContextManager[object]:
        """Gradients of earlier batches stay here until the last."""
        return nullcontext() if last else cast("DistributedDataParallel", learner).no_sync()

    def sum(self, value: Tensor) -> Tensor:
        """A new tensor, the same in each process."""
        total = value.clone()
        torch.distributed.all_reduce(total)
        return total

    def settle(self, module: nn.Module) -> None:
        """Means and variances of batches are each process's own where they are not synchronised."""
        if self._buffers:
            for buffer in module.buffers():
                torch.distributed.broadcast(buffer, 0)

    def part(self) -> None:
        """The first goes on, the others end."""
        torch.distributed.barrier()
        if self.rank:
            raise SystemExit


class Sharded(Several):
    """As `Several`, but each process holds a part of parameters, gradients and optimiser alone (FSDP2)."""

    def holder(self, module: nn.Module) -> nn.Module:
        """A copy in parts; its repeated blocks are gathered one after another."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        holder = copy.deepcopy(super().holder(module))
        mesh = init_device_mesh(next(module.parameters()).device.type, (self.size,))
        for part in holder.modules():
            if isinstance(part, nn.ModuleList):
                for block in part:
                    fully_shard(block, mesh=mesh)
        fully_shard(holder, mesh=mesh)
        module.to("cpu")  # the whole takes no memory of the device any more
        return holder

    def learner(self, holder: nn.Module) -> nn.Module:
        """The holder itself."""
        return holder

    def summing(self, learner: nn.Module, last: bool) -> AbstractContextManager[object]:
        """Gradients of earlier batches stay here until the last."""
        cast("FSDPModule", learner).set_requires_gradient_sync(last)
        return nullcontext()


_group = Group()


def learning_group() -> Group:
    """The processes that this one learns with."""
    return _group


def join(*, sharded: bool) -> None:
    """Learn with torch's default process group from now on."""
    global _group
    _group = Sharded() if sharded else Several()
