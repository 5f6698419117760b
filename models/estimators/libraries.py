"""The libraries that estimators are of, imported late and by names that stand here alone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal, TypeAlias

from ...errors import Refused

Library: TypeAlias = Literal[
    "lightgbm", "pandas", "skops.io", "sklearn.base", "sklearn.neighbors", "sklearn.utils.validation", "xgboost"
]

PACKAGES: Final = {"lightgbm": "lightgbm", "sklearn": "scikit-learn", "xgboost": "xgboost"}
"""The first name of a class's module, and the package that it comes with."""
_EXTRAS: Final = {"pandas": "pandas"}


def needed(library: Library) -> Any:
    """The library. Raises `Refused` where it is not installed."""
    try:
        return import_module(library)
    except ImportError as error:
        name = library.partition(".")[0]
        extra = _EXTRAS.get(name, "estimators")
        raise Refused(f"{name} is not installed; `pip install 'lepton-ai-sdk[{extra}]'` installs it") from error


def versions_of(estimator: object) -> dict[str, str]:
    """The versions of the libraries that an estimator is of, and of skops, which writes it."""
    roots = {kind.__module__.partition(".")[0] for kind in type(estimator).__mro__}
    packages = ("skops", *(PACKAGES[root] for root in sorted(roots & PACKAGES.keys())))
    return {package: told for package in packages if (told := _version(package)) is not None}


def check_libraries(told: Mapping[str, Any]) -> None:
    """Hold that the libraries are here that a version names. Raises `Refused` naming one that is not."""
    for package in told:
        if package in ("xgboost", "lightgbm"):
            needed(package)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
