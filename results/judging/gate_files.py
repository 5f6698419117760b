"""A gate as files that other tools read: JUnit XML for a build server, Markdown for a pull request."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

from ..figures import short
from ..words import say, word
from .gate import Gate, GateRequirement, headline, numbers, outcome

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""

_MARK: Final = {True: "✅", False: "❌"}


def junit(gate: Gate) -> str:
    """JUnit XML as build servers read it: a suite a gate, a case a requirement; what is not met is a failure."""
    failures = sum(not each.holds for each in gate.requirements)
    counts = {"tests": str(len(gate.requirements)), "failures": str(failures), "errors": "0", "skipped": "0"}
    root = ElementTree.Element("testsuites", {**counts, "time": "0"})
    name = f"lepton gate {gate.version.model}@{gate.version}"
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(name), **counts, "time": "0"})
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in _properties(gate):
        ElementTree.SubElement(properties, "property", {"name": key, "value": _xml(value)})
    for each in gate.requirements:
        _case(suite, gate, each)
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=False).join(_DECLARED)


_DECLARED: Final = ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")


def markdown(gate: Gate) -> str:
    """A table of requirements under a heading, in GitHub's Markdown."""
    heads = ("", *map(word, ("requirement", "figures", "outcome")))
    lines = [f"### {_MARK[gate.passed]} {_escaped(str(headline(gate)))}", "", _row(heads), _row(["---"] * len(heads))]
    for each in gate.requirements:
        figures = ", ".join(map(_escaped, numbers(each)))
        lines.append(_row((_MARK[bool(each.holds)], _code(each.text), figures, _escaped(outcome(each)))))
    rows = ", ".join(f"`{short(digest)}`" for digest in gate.rows) or word("none")
    lines += ["", str(say("on rows {rows}; event {seq}", rows=rows, seq=gate.seq)), ""]
    return "\n".join(lines)


def _case(suite: ElementTree.Element, gate: Gate, requirement: GateRequirement) -> None:
    named = {"classname": _xml(f"{gate.version.model}.{gate.version}"), "name": _xml(requirement.text), "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", named)
    told = _xml(f"{requirement.text}\n{', '.join(numbers(requirement))}\n{requirement.words}")
    if requirement.holds:
        ElementTree.SubElement(case, "system-out").text = told
        return
    kind = "unknown" if requirement.holds is None else "not met"
    failure = {"message": _xml(requirement.words), "type": kind}
    ElementTree.SubElement(case, "failure", failure).text = told


def _properties(gate: Gate) -> list[tuple[str, str]]:
    sides = (("version", gate.version), ("against", gate.against), ("parent", gate.parent))
    told = [(name, f"{version.model}@{version}") for name, version in sides if version is not None]
    return [*told, *(("rows", digest) for digest in gate.rows), ("event", str(gate.seq))]


def _xml(words: str) -> str:
    return _NO_XML.sub("\ufffd", words)


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(words: str) -> str:
    """Text as code in a cell of a table, whatever it holds."""
    words = _line(words).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", words)), default=0) + 1)
    return f"{fence}{words}{fence}" if fence == "`" else f"{fence} {words} {fence}"


def _escaped(words: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>()#|~!@])", r"\\\1", _line(words))


def _line(words: str) -> str:
    return " ".join(words.split())
