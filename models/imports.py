"""Modules of the user's, imported by names that a person gave, so that their classes and metrics are known here.

No event, order or version ever names a module: what is imported is said on a command line or in LEPTON_IMPORT, in the
process that imports it or in the worker that spawned it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Final

from ..errors import LeptonError, Malformed, Refused

VARIABLE: Final = "LEPTON_IMPORT"
"""The variable that names modules, parted by commas or spaces; a worker's processes find theirs in it."""
_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")

_imported: list[str] = []
_announced: set[str] = set()


def import_modules(names: Iterable[str]) -> None:
    """Import modules by their names, from Python's path or else from the current folder.

    What they register is announced from then on. Raises `Refused` in one sentence where one cannot be imported,
    `Malformed` where a name is none.
    """
    for name in dict.fromkeys(names):
        if not _NAME.fullmatch(name):
            raise Malformed(f"{name!r} is no module's name; write it as Python imports it, mymodels for mymodels.py")
        before = _registered()
        _import(name)
        if name not in _imported:
            _imported.append(name)
        _announced.update(_registered() - before, _of_module(name))


def named_in(env: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The modules that the environment names."""
    return tuple(name for name in re.split(r"[\s,]+", env.get(VARIABLE, "")) if name)


def imported() -> tuple[str, ...]:
    """The modules that were imported so in this process."""
    return tuple(_imported)


def announced() -> tuple[str, ...]:
    """What they registered, as a worker announces it: `class:NAME` and `metric:NAME`."""
    return tuple(sorted(_announced))


def _import(name: str) -> None:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)  # the last place, so that no file of it hides a library
    invalidate_caches()
    try:
        import_module(name)
    except LeptonError as error:
        raise Refused(f"the module {name!r} cannot be imported, for {error}") from error
    except (Exception, SystemExit) as error:
        parts = name.split(".")
        above = {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
        if isinstance(error, ModuleNotFoundError) and error.name in above:
            what = f"there is no module {error.name!r} in {folder} or on Python's path"
            raise Refused(f"{what}; go to its folder, or set PYTHONPATH") from error
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        raise Refused(f"the module {name!r} cannot be imported ({reason}); mend it, or leave it out") from error


def _registered() -> set[str]:
    from ..evaluation.own.metrics import registered as metrics
    from .registry import own_classes

    return {*(f"class:{name}" for name in own_classes()), *(f"metric:{name}" for name in metrics())}


def _of_module(name: str) -> set[str]:
    """What a module registered that was imported before anybody asked for it."""
    from ..evaluation.own.metrics import home_of
    from .registry import own_classes

    def within(home: str) -> bool:
        return home == name or home.startswith(f"{name}.")

    classes = {f"class:{each}" for each, kind in own_classes().items() if within(kind.__module__)}
    return classes | {word for word in _registered() if word.startswith("metric:") and within(home_of(word[7:]))}
