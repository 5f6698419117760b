"""The help of every command: whole sentences, at every width and in every language."""

from __future__ import annotations

import re

import click
import pytest

from lepton_ai.cli.app import SECTIONS, lepton
from lepton_ai.cli.command import DocumentedCommand
from lepton_ai.cli.reference import SHARED

NAMES = [name for _, names in SECTIONS.values() for name in names]
WIDTHS = [40, 53, 72, 80, 100, 200]


def command(name: str) -> DocumentedCommand:
    found = lepton.get_command(click.Context(lepton), name)
    assert found
    return found


def packed(text: str) -> str:
    """Text without what wrapping puts into it."""
    return re.sub(r"\s+", "", text)


def shown(name: str | None, width: int) -> str:
    with click.Context(lepton, info_name="lepton", terminal_width=width, max_content_width=width) as root:
        if name is None:
            return lepton.get_help(root)
        with click.Context(command(name), parent=root, info_name=name) as here:
            return command(name).get_help(here)


def first(name: str) -> str:
    """The first sentence of a command's help."""
    paragraph = " ".join((command(name).help or "").partition("\n\n")[0].split())
    return re.split(r"(?<=[.?])\s+(?=[A-Z-])", paragraph)[0]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut(width: int, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    monkeypatch.setenv("LEPTON_LANG", language)
    root = packed(shown(None, width))

    for name in NAMES:
        assert packed(f"{name} {first(name).rstrip('.')}") in root, name
        page = packed(shown(name, width))
        assert packed(command(name).help or "") in page, name
        for option in command(name).params:
            if isinstance(option, click.Option) and not option.hidden:
                assert packed(option.help or "") in page, (name, option.name)
        assert all(packed(example) in page for example in command(name).examples), name
    assert "..." not in re.sub(r"REV\.\.\.|ARGS\]\.\.\.|@\{\.\.\.\}", "", root)


@pytest.mark.parametrize("name", NAMES)
def test_sentences_are_whole(name: str) -> None:
    verb, *rest = first(name).split()

    assert first(name)[-1] in ".?", first(name)
    assert verb[:1].isupper()
    assert len(rest) >= 2, first(name)
    for option in command(name).params:
        if isinstance(option, click.Option) and option.name not in SHARED:
            assert option.help, (name, option.name)
            assert option.help[:1].isupper() or option.help.startswith("auto"), option.help
            assert option.help.rstrip()[-1] in ".", (name, option.help)
