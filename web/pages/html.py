"""HTML of the pages: templates, and answers as they describe themselves, drawn with classes of the style sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ...escapes import escaped, escaped_lines
from ...results.description import Block, Grid
from ...results.figures import figure, pairs, short
from ...results.render import elements
from ...results.words import language, word
from .assets import asset_link
from .chinese import PAGES
from .forms import TypedFields

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from .page import Visit

_UNITS: Final = ((86400 * 365, "y"), (86400 * 30, "mo"), (86400, "d"), (3600, "h"), (60, "min"))
BOX: Final = '<div class="wide" tabindex="0" role="group">'
"""What a table scrolls in, by keys too."""
_ZH: Final = {"y": "年", "mo": "个月", "d": "天", "h": "小时", "min": "分钟"}


def rendered(template: str, page: Visit, data: Mapping[str, Any]) -> str:
    """A template with its data; at hand in all of them are `page`, and what a refused form said and why it was."""
    common = {"page": page, "language": language(), "typed": TypedFields(), "sentence": ""}
    return templates().get_template(template).render({**common, **data})


@lru_cache
def templates() -> Environment:
    """The templates of this room; all words that come from data are escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context

    made = Environment(
        loader=PackageLoader("lepton_ai.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,  # else words would be translated once for all, when a template is compiled
    )
    # with a context it is called at each rendering; without, once for a constant, in the language of whoever came first
    at_each: Callable[..., Any] = pass_context(_translated)
    made.filters.update({**FILTERS, "t": at_each})
    return made


def translated(english: str, **parts: Any) -> str:
    """A sentence in the reader's language, with its parts filled in."""
    said = PAGES.get(english) if language() == "zh" else english
    said = said if said is not None else word(english)
    return said.format(**parts) if parts else said


def _translated(context: Any, english: str, **parts: Any) -> str:  # noqa: ARG001 - Jinja gives it
    return translated(english, **parts)


def ref(words: str) -> str:
    """A branch or alias as a sentence names it: `alias production`."""
    kind, _, name = words.partition(" ")
    if kind not in ("alias", "tag", "branch") or not name:
        return translated("branch {ref}", ref=escaped(words))
    return f"{translated(kind)} {escaped(name)}"


def time(moment: datetime, now: datetime | None) -> Markup:
    """A moment in UTC, and how long before `now` it was, or in how long it will be."""
    from markupsafe import Markup

    utc = moment.astimezone(UTC)
    exact, seen = utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M} UTC"
    shown = Markup('<time datetime="{}">{}</time>').format(exact, seen)
    return shown + Markup(' <span class="ago">{}</span>').format(_ago((now - utc).total_seconds())) if now else shown


def _ago(seconds: float) -> str:
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            count, is_past = int(abs(seconds) // size), seconds > 0
            if language() == "zh":
                return f"{count} {_ZH[unit]}{'前' if is_past else '后'}"
            return f"{count} {unit} ago" if is_past else f"in {count} {unit}"
    return translated("just now")


def drawn(blocks: Iterable[Block]) -> Markup:
    """Lines and grids of an answer, those that are empty left out; what stands out has classes of the style sheet."""
    from markupsafe import Markup

    seen = (each for each in blocks if (each.rows if isinstance(each, Grid) else each))
    return Markup("").join(map(Markup, elements(seen, _classed, BOX)))


def _classed(words: str, style: str) -> str:
    return f'<span class="{style}">{words}</span>'


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "figure": figure,
    "pairs": pairs,
    "seen": escaped,
    "lines": escaped_lines,
    "short": short,
    "ref": ref,
    "drawn": drawn,
    "time": time,
    "asset": asset_link,
}
"""What templates may write behind a bar."""
