"""What commands are about: a class for each sort of stream, over which its commands stand."""

from __future__ import annotations

from dataclasses import dataclass

from .command import Command
from .streams import (
    chain_stream,
    job_stream,
    model_stream,
    run_stream,
    study_stream,
    suite_stream,
    token_stream,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfModel(Command):
    """Something asked of one model."""

    model: str

    def reads(self) -> tuple[str, ...]:
        return (model_stream(self.model),)


class OfGates(OfModel):
    """Something asked of a model's gates; gates/commands.py has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRun(Command):
    """Something asked of one run."""

    run: str

    def reads(self) -> tuple[str, ...]:
        return (run_stream(self.run),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfJob(Command):
    """Something asked or told of one job; job/commands.py has them."""

    job: str

    def reads(self) -> tuple[str, ...]:
        return (job_stream(self.job),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSuite(Command):
    """Something asked of one suite; suites/commands.py has them."""

    suite: str

    def reads(self) -> tuple[str, ...]:
        return (suite_stream(self.suite),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfChain(Command):
    """Something told of one chain; chains/commands.py has them."""

    chain: str

    def reads(self) -> tuple[str, ...]:
        return (chain_stream(self.chain),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfToken(Command):
    """Something asked of one token; access/commands.py has them."""

    token: str

    def reads(self) -> tuple[str, ...]:
        return (token_stream(self.token),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfData(Command):
    """Something asked of one name of rows; data/commands.py has them."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfStudy(Command):
    """Something asked of one study; studies/commands.py has them."""

    study: str

    def reads(self) -> tuple[str, ...]:
        return (study_stream(self.study),)
