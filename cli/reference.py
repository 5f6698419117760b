"""The reference of the command line, docs/cli.md, written from the commands themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import click

from ..results.shapes.names import VERSION
from .app import SECTIONS, lepton
from .command import DocumentedCommand

HEAD = """# The command `lepton`

Written from the commands by `python -m lepton_ai.cli.reference > docs/cli.md`; a test keeps it true and runs the
examples.

A ledger is the folder that `--home` names, else `LEPTON_HOME`, else the nearest `.lepton` upwards, which is named once
on stderr. Where there is none, commands that write make `.lepton` here and say so, as does `lepton init`; commands that
read are refused. A `.lepton` found upwards that belongs to another user is refused, unless it is one's own group's or
`LEPTON_SAFE_HOMES` lists it (folders with `:` between them, or `*`).
`--home` and `--actor` may stand before a command's name or after it. REV is a revision as
[revisions.md](revisions.md) has it; where the ledger holds several models write MODEL@REV. Sizes are in steps of 1000
and times in UTC. There are no colours where stdout is no terminal, `NO_COLOR` is set or `TERM` is `dumb`.

An answer is as wide as the terminal, or as `COLUMNS` says: long cells are folded; a table that is still too wide stands
in blocks of columns, with its first column in each, and one of few rows as a list of names and values. In a pipe, where
`COLUMNS` is not set, every row is one line. What is left out is counted beside the option that shows it; `--json` has
all of it. `print(answer)` in Python shows the same, a notebook as HTML, and `answer.whole` what `--all` does.

## Exit codes

| code | means |
| --- | --- |
| 0 | done |
| 1 | refused: a rule forbids it, and trying again is vain |
| 2 | the command line is wrong |
| 3 | a part is away for now: try again; `status` tells the rest all the same |
| 4 | a gate was not met |
| 5 | damage was found |
| 70 | a fault of Lepton itself; `LEPTON_DEBUG=1` shows the traceback to report |
| 130 | interrupted |
| 141 | whoever read the output stopped reading |

An error is one sentence on stderr. Logs and progress go to stderr too.

Control and bidirectional characters in what others wrote are shown as escapes, such as `\\x1b`, in JSON as JSON's own;
CSV in a pipe or a file, and Parquet, hold them as they are.

## Language

What commands say is in one language at a time, Chinese or English: `LEPTON_LANG` (`zh`, `en`) says which, else the
first that is set of `LANGUAGE`, `LC_ALL`, `LC_MESSAGES` and `LANG`; where none of them names Chinese it is English.
Names, what people wrote, the sentences of errors and logs, this help and all that programs read stay as they are.

## Completion

`eval "$(lepton completion bash)"` in `~/.bashrc`, or `eval "$(lepton completion zsh)"` in `~/.zshrc` below `compinit`,
completes commands, options, and what the ledger knows: models, revisions (`MODEL@REV` and `A..B` too), branches,
aliases, tags, jobs and runs. Where there is no ledger, or it does not answer within 0.3 s, nothing is proposed and
nothing said.

## JSON

With `--json` a command prints one object on one line, and nothing else, on stdout; after an error, nothing. The shapes
below stand for it: `number`, `text`, `true or false`, `time` (RFC 3339), `digest` (`sha256:...` or `blake3:...`), `any`
(whatever was recorded), `?` (may be null), `[...]` (any number of them), `NAME` (any name), `...` (further fields).
A change is `[before, after]`, null where there was nothing. Numbers that JSON has no word for are "NaN", "Infinity" and
"-Infinity". Fields may be added; none changes its meaning. `VERSION` stands for

```json
{version}
```

## Options of all commands
"""
SHARED = ("as_json", "home", "actor", "help")


def reference() -> str:
    """The page, in the order of the help."""
    with click.Context(lepton, info_name="lepton") as root:
        example = lepton.get_command(root, "log")
        assert example
        common = [param for param in example.get_params(root) if param.name in SHARED]
        head = HEAD.replace("{version}", _shape(dict(VERSION)))
        return "\n".join([head, *_options(common, root), *_sections(root)])


def _sections(root: click.Context) -> Iterator[str]:
    for section, (_, names) in SECTIONS.items():
        yield from (f"## {section}", "")
        for name in names:
            if command := lepton.get_command(root, name):
                with click.Context(command, parent=root, info_name=name) as here:
                    yield from _command(command, here)


def _command(command: DocumentedCommand, here: click.Context) -> Iterator[str]:
    usage = " ".join((here.command_path, *command.collect_usage_pieces(here)[1:]))
    paragraphs = (" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n"))
    yield from (f"### `{usage}`", "", "\n\n".join(paragraphs), "")
    own = [param for param in command.params if isinstance(param, click.Option) and param.name not in SHARED]
    yield from _options(own, here)
    yield from ("```sh", *command.examples, "```", "", "```json", _shape(command.answer), "```", "")


def _options(options: Sequence[click.Parameter], here: click.Context) -> Iterator[str]:
    if records := list(filter(None, (option.get_help_record(here) for option in options))):
        yield from ("| option | does |", "| --- | --- |")
        yield from (f"| `{option.replace('|', '&#124;')}` | {' '.join(does.split())} |" for option, does in records)
        yield ""


def _shape(value: Any, indent: int = 0) -> str:
    """A shape as JSON, on one line where it is short."""
    if value is VERSION:
        return json.dumps("VERSION")
    pad, end = " " * (indent + 2), " " * indent
    if isinstance(value, list) and not isinstance(value[0], str):
        return f"[{_shape(value[0], indent)}]"  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(value, Mapping):
        return json.dumps(value)
    fields = cast("Mapping[str, Any]", value)
    parts = [f"{json.dumps(name)}: {_shape(each, indent + 2)}" for name, each in fields.items()]
    line = "{" + ", ".join(parts) + "}"
    if len(line) + indent <= 100 and "\n" not in line:
        return line
    return "{\n" + ",\n".join(pad + part for part in parts) + f"\n{end}}}"


if __name__ == "__main__":
    click.echo(reference(), nl=False)
