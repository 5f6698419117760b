"""The names of streams: what stands together in the log, one name an aggregate."""

from __future__ import annotations

OBJECTS = "objects"
LEDGER = "ledger"


def model_stream(name: str) -> str:
    """The stream of a model's events."""
    return f"model/{name}"


def run_stream(run: str) -> str:
    """The stream of a run's events."""
    return f"run/{run}"


def job_stream(job: str) -> str:
    """The stream of a job's events."""
    return f"job/{job}"


def dataset_stream(name: str) -> str:
    """The stream of a data set's events."""
    return f"dataset/{name}"


def suite_stream(name: str) -> str:
    """The stream of a suite's events."""
    return f"suite/{name}"


def chain_stream(name: str) -> str:
    """The stream of a chain's events."""
    return f"chain/{name}"


def endpoint_stream(name: str) -> str:
    """The stream of an endpoint's events."""
    return f"endpoint/{name}"


def study_stream(name: str) -> str:
    """The stream of a study's events, those of its trials among them."""
    return f"study/{name}"


def token_stream(token: str) -> str:
    """The stream of a token's events."""
    return f"token/{token}"


def data_stream(name: str) -> str:
    """The stream of a named data set's events."""
    return f"data/{name}"
