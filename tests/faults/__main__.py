"""`make faults`: every chapter in turn, or those that CHAPTERS names, with its seed and its counts."""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import sys
import time
import traceback
from collections.abc import Callable
from typing import Protocol, cast

from tests import faults


class Chapter(Protocol):
    """What every module of this package offers."""

    TITLE: str

    def suffer(self, seed: int, say: Callable[[str], None]) -> None:
        """Have things go wrong in an order drawn from `seed`; raise where something was lost, doubled or stuck."""
        ...


def chapters() -> dict[str, Chapter]:
    """The chapters by name."""
    names = sorted(each.name for each in pkgutil.iter_modules(faults.__path__) if not each.name.startswith("_"))
    return {name: cast(Chapter, importlib.import_module(f"{faults.__name__}.{name}")) for name in names}


def main() -> int:
    """The long form. CHAPTERS="homes pooler" runs only those, SEED= draws the same order again."""
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    known = chapters()
    chosen = os.environ.get("CHAPTERS", " ".join(known)).split()
    print(f"seed {seed}; SEED={seed} makes the same order", flush=True)
    failed: list[str] = []
    environment = dict(os.environ)
    for name in chosen:
        begun = time.monotonic()
        print(f"── {name}: {known[name].TITLE}", flush=True)
        try:
            known[name].suffer(seed, lambda what: print(f"   {what}", flush=True))
        except Exception:  # noqa: BLE001 - the other chapters are run all the same, and the end tells of it
            traceback.print_exc()
            failed.append(name)
        os.environ.clear()
        os.environ.update(environment)
        print(f"   {'FAILED' if name in failed else 'held'}; {time.monotonic() - begun:.0f} s", flush=True)
    print(
        f"seed {seed}: {len(chosen) - len(failed)} of {len(chosen)} chapters held{'; failed: ' if failed else ''}",
        end="",
    )
    print(", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
