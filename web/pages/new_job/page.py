"""The form that asks for work: one for each kind that the API takes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from ....errors import Forbidden, Malformed, Refused
from ....models.library import names
from ...api.work.job_requests import ask
from ...problems import kind_of
from ..page import PageRoutes, PageView, Visit
from .fields import CHOSEN, KINDS, BadField, JobField, fields_of, hyperparameter_fields, request_from, request_of

pages = PageRoutes()

UNLIMITED: Final = ("verify",)
"""Kinds that name files, which are for those alone who may do everything."""
FILES: Final = ("validation",)
"""Fields that do."""


@pages.page("/jobs/new", "new_job")
def new_job(page: Visit) -> PageView:
    """A form for a kind of work, with what the address says filled in."""
    kind = page.asked("kind") or next(iter(KINDS))
    said = {name: page.asked(name) for name in page.request.query_params}
    data = _form(page, kind, said)
    return PageView(data, {"kind": kind, "fields": [each.name for each in fields_of(kind)], "classes": data["classes"]})


@pages.act("/jobs/new", "new_job")
def submit(page: Visit, said: Mapping[str, str]) -> str | PageView:
    """Ask for the work. Refused, the form comes back with what was typed."""
    kind = said.get("kind", "")
    request_of(kind)
    assert page.visitor is not None  # the door lets nobody else here
    try:
        job = ask(page.present, page.visitor.rights, request_from(kind, said), said.get("key") or None)
    except Forbidden:
        raise
    except Refused as error:
        wrong = error.field if isinstance(error, BadField) else ""
        data = {**_form(page, kind, said), "sentence": error.fact, "wrong": wrong}
        return PageView(data, status=kind_of(error).status, error=error)
    return page.link("jobs", job.job)


def _form(page: Visit, kind: str, said: Mapping[str, str]) -> dict[str, Any]:
    assert page.visitor is not None
    unlimited = page.visitor.rights.unlimited
    if kind in UNLIMITED and not unlimited:
        request_of(kind)
        raise Malformed(f"work of kind {kind!r} names a file, which only those may who may do everything")
    classes = _classes(page)
    chosen = said.get("class") or classes[0]
    fields = [each for each in fields_of(kind) if unlimited or each.name not in FILES]
    takes_class = any(each.name == "class" for each in fields)
    parameters = hyperparameter_fields(chosen) if takes_class else None
    hidden = ("class",) if parameters is None else ("class", "hyperparameters")
    shown = [each for each in fields if each.name not in hidden]
    return {
        "kind": kind,
        "kinds": [each for each in KINDS if unlimited or each not in UNLIMITED],
        "takes_class": takes_class,
        "classes": classes,
        "chosen": chosen,
        "first": [each for each in shown if each.is_first],
        "more": [each for each in shown if not each.is_first],
        "parameters": parameters or [],
        "known": parameters is not None,
        "chosen_prefix": CHOSEN,
        "said": _filled(page, [*shown, *(parameters or [])], said),
        "models": page.manager.models(),
        "data_sets": page.manager.data_sets(),
        "key": said.get("key") or str(uuid4()),
        "unattended": is_unattended(page, pool := said.get("pool") or "default"),
        "start": worker_command(page, pool),
        "sentence": "",
        "wrong": "",
    }


def _filled(page: Visit, fields: list[JobField], said: Mapping[str, str]) -> dict[str, str]:
    """What stands in each field: what was typed, else its default; where only one thing can be meant, that."""
    values = {each.name: said.get(each.name, each.default) for each in fields}
    models, data_sets = page.manager.models(), page.manager.data_sets()
    for name, one in (("model", models), ("data", [each.name for each in data_sets])):
        if values.get(name) == "" and len(one) == 1:
            values[name] = one[0]
    return values


def _classes(page: Visit) -> list[str]:
    """The classes that can be asked for: Lepton's own, those registered here, those that workers announce."""
    heard = [word.removeprefix("class:") for each in page.service.home.desk.heard_of() for word in each.capabilities
             if word.startswith("class:")]  # fmt: skip
    return list(dict.fromkeys([*names(), *heard]))


def worker_command(page: Visit, pool: str) -> str:
    """The command that starts a worker of a pool; where the ledger lies is told to those who may do everything."""
    assert page.visitor is not None
    words = ["lepton", "worker"]
    if page.visitor.rights.unlimited:
        words += ["--home", str(page.service.home.settings.home)]
    return shlex.join(words if pool == "default" else [*words, "--pool", pool])


def is_unattended(page: Visit, pool: str) -> bool:
    """Whether nobody is there who would take a job of a pool: no worker, and not the server itself."""
    if page.service.works and pool == "default":
        return False
    return not any(each.pool == pool for each in page.service.home.desk.heard_of())
