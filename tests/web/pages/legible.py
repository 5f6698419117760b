"""Whether a page is legible to everybody: what axe finds on it, with one of each shape of row left."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

RULES: Final[dict[str, Any]] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
CONTRAST: Final[dict[str, Any]] = {
    "runOnly": ["color-contrast", "link-in-text-block"],
    "resultTypes": ["violations"],
}
"""What light, dark and forced colours may change; all other rules see the same."""
THINNED: Final = """() => {
    const one = (each) => [each.tagName, ...each.getAttributeNames().sort(), ...["class", "role", "type"].map(
        (name) => each.getAttribute(name))].join(" ");
    const shape = (each) => [each, ...each.querySelectorAll("*")].map(one).join();
    const lists = [...document.querySelectorAll("tbody, ul, ol, dl, details, select, svg, svg g")];
    for (const list of lists.reverse()) {
        const seen = {};
        for (const each of [...list.children]) {
            seen[shape(each)] = (seen[shape(each)] ?? 0) + 1;
            if (seen[shape(each)] > 2) each.remove();
        }
    }
}"""
"""Takes away rows, items and marks of a shape that two before them have: the same elements, attributes and classes."""


@cache
def axe() -> str:
    """The script of axe, which a context gives to each of its pages."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe().axe_script


def violations(page: Any, rules: dict[str, Any] = RULES) -> list[dict[str, Any]]:
    """The rules that a page violates, whose context has `axe` as a script."""
    return page.evaluate("(rules) => axe.run(document, rules).then((found) => found.violations)", rules)
