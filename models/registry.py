"""The classes that an architecture may name: Lepton's own and those registered in this process, and no others."""

from __future__ import annotations

import functools
import inspect
import math
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..errors import Malformed, Refused
from ..plain import scalar
from .hyperparameter import Json
from .model import Model

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel


T = TypeVar("T", bound=type)
S = TypeVar("S")

# Lepton's own classes and the module that registers each. Names come from data, the modules only from this table.
OWN = {
    "credit-scoring-model": "lepton_ai.models.credit.model",
    "diagnosis-model": "lepton_ai.building.fields.medicine",
    "estimator-model": "lepton_ai.building.estimators.model",
    "forecast-model": "lepton_ai.building.series.forecasting",
    "image-diagnosis-model": "lepton_ai.building.fields.medicine",
    "image-model": "lepton_ai.building.images.model",
    "intent-model": "lepton_ai.building.fields.service",
    "maintenance-model": "lepton_ai.building.fields.manufacturing",
    "quality-inspection-model": "lepton_ai.building.fields.manufacturing",
    "risk-model": "lepton_ai.building.fields.finance",
    "segmentation-model": "lepton_ai.building.images.segmentation",
    "sentiment-model": "lepton_ai.building.fields.service",
    "series-model": "lepton_ai.building.series.model",
    "table-model": "lepton_ai.building.tables.model",
    "text-model": "lepton_ai.building.text.model",
}
HELD = {"estimator": "lepton_ai.models.estimators.model"}
"""Those of Lepton's own that hold what was trained elsewhere, and so are none to train."""

INTO = "give one that you built with into=, or take the parameters with load_tensors"
FROM_PYTHON = "do it from Python, in a process that has the class"
IMPORTED = "name the module that registers it with --import, or in LEPTON_IMPORT"
"""What helps where a version's class cannot be built, at the two doors; `versions.rows.to_judge` knows better there."""

_classes: dict[str, type] = {}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_CONFIG = "_lepton_config"
_LISTED = 1000  # modules named for an unregistered class; an event must stay far below 256 KiB


def register(name: str) -> Callable[[T], T]:
    """Let architectures name this `Model` or `nn.Module` class; its constructor arguments are kept at each call.

    A class of scikit-learn's manner (with `get_params`) may then be a part of estimators that are loaded.
    Arguments must be JSON (tuples become lists); one that is not raises `Malformed` at construction, not at a save
    after hours of training. Registering the same class again, as a notebook does, replaces it.
    """
    if not _NAME.fullmatch(name):
        raise Malformed(f"{name!r} cannot name a class; use a letter, then letters, digits and . _ / -")

    def enter(cls: T) -> T:
        if not (issubclass(cls, Model) or _is_module_class(cls) or is_estimator_class(cls)):
            raise Malformed(
                f"{cls.__qualname__} cannot be registered; only Model, torch.nn.Module and scikit-learn's classes can"
            )
        known = _classes.get(name)
        owner = "lepton_ai's own class" if is_own_name(name) and cls.__module__ != _module_of(name) else None
        if known is not None and _qualified(known) != _qualified(cls):
            owner = _qualified(known)
        if owner:
            raise Malformed(f"the name {name!r} already belongs to {owner}; register {cls.__qualname__} under another")
        if issubclass(cls, Model) or _is_module_class(cls):  # an estimator tells its arguments itself
            _capture_arguments(cls)
        _classes[name] = cls
        return cls

    return enter


def is_own(model: object) -> bool:
    """Whether it is of a class of Lepton's own that is trained."""
    return _name_of(type(model)) in OWN


def is_own_name(name: object) -> bool:
    """Whether a class of that name is Lepton's own, in every process that has Lepton."""
    return name in OWN or name in HELD


def is_estimator_class(cls: type) -> bool:
    """Whether it is a class in scikit-learn's manner."""
    return all(callable(getattr(cls, name, None)) for name in ("get_params", "set_params"))


def own_classes() -> dict[str, type]:
    """The classes by name that users registered in this process."""
    return {name: kind for name, kind in _classes.items() if not is_own_name(name)}


def hyperparameters_of(name: str) -> type[BaseModel] | None:
    """What may be chosen of a model of that name, read without torch; None where its class is not known here."""
    if name not in _classes and name in OWN:
        beside = import_module(f"{OWN[name].rpartition('.')[0]}.hyperparameters")
        return getattr(beside, f"{class_name(name).removesuffix('Model')}Hyperparameters")
    known = _classes.get(name, object)
    return known.HYPERPARAMETERS if issubclass(known, Model) else None


def class_name(name: str) -> str:
    """Of a name of Lepton's own the class: credit-scoring-model → CreditScoringModel."""
    return "".join(map(str.capitalize, name.split("-")))


def knows(name: object) -> bool:
    """Whether a class of that name is Lepton's own or registered in this process."""
    return isinstance(name, str) and (is_own_name(name) or name in _classes)


def registered(name: str) -> type:
    """The class of that name. Raises `Refused` naming the ways out; never imports by a name that was given."""
    if name not in _classes and is_own_name(name):
        import_module(_module_of(name))
    cls = _classes.get(name)
    if cls is None:
        raise Refused(
            f"class {name!r} is not registered in this process",
            python=f"put @lepton_ai.register({name!r}) on it, {INTO}",
            cli=IMPORTED,
        )
    return cls


def architecture_of(model: Model | torch.nn.Module) -> dict[str, Json]:
    """What is kept of a model's shape: enough to rebuild a registered class, a description of any other."""
    if isinstance(model, Model):
        return model.architecture()
    return captured(model) if _name_of(type(model)) and _CONFIG in vars(model) else _description(model)


def build(architecture: Mapping[str, Json]) -> Any:
    """The empty `Model` or `nn.Module` that an architecture describes.

    Raises `Refused` where the class is not registered here or its arguments were not kept, `Malformed` where its
    constructor takes others.
    """
    name, config = architecture.get("class"), architecture.get("config")
    if not isinstance(name, str):
        raise Malformed("an architecture must name its class", python=INTO, cli=FROM_PYTHON)
    if not isinstance(config, dict):
        raise Refused(f"this version holds a {name} without the arguments that made it", python=INTO, cli=FROM_PYTHON)
    cls = registered(name)
    if issubclass(cls, Model):
        return cls.from_architecture(config)
    return construct(cast("type[object]", cls), config)


def captured(model: object) -> dict[str, Json]:
    """The registered name of an object's class and the arguments it was made with. Raises `Refused` if unregistered."""
    name = name_of(type(model))
    if _CONFIG not in vars(model):
        raise Refused(f"this {name} was made before its class was registered; make it anew")
    return {"class": name, "config": cast("Json", vars(model)[_CONFIG])}


def name_of(cls: type) -> str:
    """The name under which a class is registered. Raises `Refused` if it is not."""
    name = _name_of(cls)
    if name is None:
        raise Refused(f"{cls.__qualname__} is not registered; put @lepton_ai.register('a-name') on the class")
    return name


def construct(cls: type[S], config: Mapping[str, Json]) -> S:
    """Call a constructor with arguments as `captured` keeps them. Raises `Malformed` where they do not fit it."""
    signature = inspect.signature(cls)
    bound = signature.bind_partial()
    unknown = sorted(set(config) - set(signature.parameters))
    bound.arguments.update((name, config[name]) for name in signature.parameters if name in config)
    try:
        signature.bind(*bound.args, **bound.kwargs)
    except TypeError as error:
        what = f"{cls.__qualname__} takes other arguments than the version kept ({error})"
        raise Malformed(what, python=INTO, cli=FROM_PYTHON) from error
    if unknown:
        what = f"{cls.__qualname__} takes no argument {unknown[0]!r}, which the version kept"
        raise Malformed(what, python=INTO, cli=FROM_PYTHON)
    return cls(*bound.args, **bound.kwargs)


@contextmanager
def rebuilding(cls: type) -> Generator[None]:
    """Raise `Malformed` where what is told inside is no shape of that class."""
    try:
        yield
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        what = f"this is no shape of a {cls.__name__} ({error})"
        raise Malformed(what, python=INTO, cli=FROM_PYTHON) from error


def _capture_arguments(cls: type) -> None:
    """Wrap the constructor as Hugging Face's ModelHubMixin does; a subclass's call through super() keeps nothing."""
    original = cast("Callable[..., None]", cls.__dict__.get("__init__", cls.__init__))
    original = getattr(original, "_lepton_original", original) if "__init__" in cls.__dict__ else original

    @functools.wraps(original)
    def keep_arguments(self: Any, *args: Any, **kwargs: Any) -> None:
        if type(self) is cls:
            bound = inspect.signature(original).bind(self, *args, **kwargs)
            bound.apply_defaults()
            given = {name: _json(value, name, cls) for name, value in list(bound.arguments.items())[1:]}
            self.__dict__[_CONFIG] = given  # around nn.Module.__setattr__, which is not ready before its own __init__
        original(self, *args, **kwargs)

    vars(keep_arguments)["_lepton_original"] = original
    setattr(cls, "__init__", keep_arguments)  # noqa: B010 (pyright forbids the plain assignment to a method)


def _json(value: Any, argument: str, cls: type) -> Json:
    """A deep copy as JSON: what the constructor does to its argument later must not change the record."""
    match value := scalar(value):
        case None | bool() | str():
            return value
        case int() if -(2**53) < value < 2**53:
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case list() | tuple():
            return [_json(item, argument, cls) for item in cast("list[Any]", value)]
        case dict() if all(isinstance(key, str) for key in cast("dict[Any, Any]", value)):
            return {key: _json(item, argument, cls) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            raise Malformed(
                f"argument {argument!r} of {cls.__qualname__} is no JSON value ({type(value).__name__}); a registered "
                "class takes only numbers, text, booleans, None, lists and dictionaries of them"
            )


def _description(module: torch.nn.Module) -> dict[str, Json]:
    """Class, parameters in all, and [path, type, parameters] of each submodule that holds some itself."""
    listed: list[Json] = []
    parts = cast("Iterable[tuple[str, torch.nn.Module]]", module.named_modules())
    for path, part in parts:
        own = _elements(part.parameters(recurse=False))
        if own or not list(part.children()):
            listed.append([path, type(part).__name__, own])
    return {
        "class": _qualified(type(module)),
        "parameters": _elements(module.parameters()),
        "modules": listed[:_LISTED],
        "unlisted": max(0, len(listed) - _LISTED),
    }


def _elements(parameters: Iterable[torch.nn.Parameter]) -> int:
    """Elements of parameters, those over the same memory counted once, whether they are one object or not."""
    from .state import memory_of

    counted = {memory_of(each) if each.numel() and not each.is_meta else id(each): each.numel() for each in parameters}
    return sum(counted.values())


def _name_of(cls: type) -> str | None:
    return next((name for name, known in _classes.items() if known is cls), None)


def _module_of(name: str) -> str:
    return OWN.get(name) or HELD[name]


def _is_module_class(cls: type) -> bool:
    torch = sys.modules.get("torch")  # whoever defined a module class has imported it
    return torch is not None and issubclass(cls, torch.nn.Module)


def _qualified(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def untrained(name: str, hyperparameters: Mapping[str, Json]) -> Model:
    """A model that can be trained, by its name, with hyperparameters that are checked together.

    Raises `Refused` where there is none of that name, `Malformed` for what it does not take.
    """
    model: Model = registered(known(name))()
    for each, value in hyperparameters.items():
        model.add_hyperparameter(each, value)
    model.check_hyperparameters()
    return model


def known(name: str) -> str:
    """The name of a model that can be trained, Lepton's own or registered here; else `Refused`."""
    from difflib import get_close_matches

    if name not in OWN and not issubclass(_classes.get(name, object), Model):
        near = get_close_matches(name, OWN, 1)
        hint = f"did you mean {near[0]}?" if near else f"Lepton knows {', '.join(sorted(OWN))}"
        raise Refused(f"there is no model {name!r} to train; {hint}")
    return name
