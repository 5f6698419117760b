"""What a job is asked for with over HTTP: a request for each kind of work, made of the fields of the kind's payload.

Rows are named data. A file or a URL, which the server or a worker would read, is for those who may do everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from ....datasets.sources.web import is_web
from ....domain.job.kinds import Payload
from ....errors import Malformed, UnknownRevision
from ....results import JobRecord
from ....workers.tasks.evaluate import Evaluate
from ....workers.tasks.import_version import ImportVersion
from ....workers.tasks.train import Train
from ....workers.tasks.tune import Tune

if TYPE_CHECKING:
    from ....domain.access.rights import Rights
    from ....manager import ModelManager

_NO_WEB: Final = (
    "no server fetches an address of the web that a request names; name the rows where you are, "
    "`lepton data add NAME URL#sha256=HEX`, and give the name"
)


class JobRequest(BaseModel):
    """What every job is asked for with."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    model: str = Field(min_length=1, description="the model that it is about")
    pool: str = Field("default", description="the workers that may do it")
    needs: tuple[str, ...] = Field((), description="what a worker must have, such as cuda")
    memory: int | None = Field(None, ge=1, description="bytes that an attempt may take")
    seconds: float | None = Field(None, gt=0, description="seconds that an attempt may take")
    retries: int = Field(3, ge=0, description="attempts that may be lost")
    after: tuple[str, ...] = Field((), description="jobs that must have finished before")


class OnNamedData(JobRequest):
    """A job on labelled rows."""

    data: str = Field(min_length=1, description="named data, NAME or NAME@2")
    label: str | None = Field(None, description="the column of labels, where the name does not know it")


def _of(payload: type[Payload], base: type[JobRequest], without: tuple[str, ...], **more: Any) -> type[JobRequest]:
    """A request with a kind's own fields, but for those that the ledger fills in."""
    fields: dict[str, Any] = {
        name: (field.rebuild_annotation(), field)
        for name, field in payload.model_fields.items()
        if name not in (*without, *base.model_fields)
    }
    return create_model(f"{payload.__name__}Job", __base__=base, __doc__=payload.__doc__, **(fields | more))


TrainJob: Final = _of(
    Train,
    OnNamedData,
    ("named", "checkpoint_seconds"),
    message=(str, ""),
    validation=(
        str | None,
        Field(None, description="a file of the same columns, for those who may do everything"),
    ),
)
EvaluateJob: Final = _of(
    Evaluate,
    OnNamedData,
    ("named",),
    version=(
        str | int,
        Field(description="the version to judge: a number, job:ID of the job that makes it, or any other revision"),
    ),
    message=(str, ""),
)
TuneJob: Final = _of(
    Tune,
    OnNamedData,
    ("named", "limits"),
    metric=(str | tuple[str, ...], Field((), description="what is searched for, up to three")),
    budget=(float | str | None, Field(None, description="no trial begins after it: seconds, or 90s, 10m, 2h")),
    message=(str, ""),
    validation=(
        str | None,
        Field(None, description="a file of the same columns, for those who may do everything"),
    ),
)
ImportJob: Final = _of(
    ImportVersion,
    JobRequest,
    ("limits",),
    source=(str, Field(description="address of a safetensors file; for those alone who may do everything")),
    message=(str, ""),
)
Asked: Any = Annotated[TrainJob | TuneJob | EvaluateJob | ImportJob, Field(discriminator="kind")]


def ask(manager: ModelManager, rights: Rights, asked: Any, key: str | None) -> JobRecord:
    """Ask for the work. Raises `Forbidden` for a file or URL from those who may not do everything."""
    jobs, told = manager.jobs, asked.model_dump(by_alias=True, exclude_unset=True)
    kind, model = told.pop("kind"), told.pop("model")
    if kind == "verify":
        rights.check_everywhere("admin")
        return jobs.offer(model, told.pop("source"), told.pop("digest"), key=key, **told)
    if told.get("validation") is not None:
        rights.check_everywhere("admin")
        if is_web(told["validation"]):
            raise Malformed(_NO_WEB)
    check_data(manager, rights, told["data"])
    data, label = told.pop("data"), told.pop("label", None)
    if kind == "train":
        return jobs.train(told.pop("class"), data, label, name=model, key=key, **told)
    if kind == "tune":
        return jobs.tune(
            told.pop("class"), data, label, name=model, metric=told.pop("metric", None) or None, key=key, **told
        )
    return jobs.evaluate(f"{model}@{told.pop('version')}", data, label, key=key, **told)


def check_data(manager: ModelManager, rights: Rights, data: str) -> None:
    """Hold that rows are named data, unless whoever asks may do everything; nobody has the web fetched from here."""
    if is_web(data):
        raise Malformed(_NO_WEB)
    if rights.unlimited:
        return
    try:
        manager.data(data)
    except (UnknownRevision, Malformed):
        raise Malformed(
            f"no data is named {data[:200]!r}; name rows first (PUT /api/v1/data/NAME): files and URLs are taken from "
            "those alone who may do everything"
        ) from None
