"""`completion`: the script by which a shell completes commands, and the names that the ledger knows."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from .command import Session, command

_SCRIPT: Final = """\
%(complete_func)s() {
    local response type value
    COMPREPLY=()
    response=$(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_PROGRAM="$1" COMP_WORD="$2" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS=, read -r type value; do
        [[ $type == plain ]] && COMPREPLY+=("$value")
        [[ $value == *@ ]] && compopt -o nospace
    done <<< "$response"
    return 0
}
complete -o nosort -o bashdefault -o default -F %(complete_func)s %(prog_name)s
"""


class RevisionBash(BashComplete):
    """Bash, which breaks words at the `@` of MODEL@REV: the line is read whole, and the answer cut where bash's word
    begins. Where nothing fits, files are proposed.
    """

    source_template = _SCRIPT

    def source(self) -> str:
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        incomplete = "" if line[-1:].isspace() else words.pop()
        names = [PurePath(word).name for word in words]
        program = PurePath(os.environ.get("COMP_PROGRAM", self.prog_name)).name
        first = names.index(program) + 1 if program in names else 1
        word = os.environ.get("COMP_WORD", incomplete)
        self._cut = len(incomplete) - len(word) if incomplete.endswith(word) else 0
        return words[first:], incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        return f"{item.type},{str(item.value)[self._cut :]}"


add_completion_class(RevisionBash)


@command({"shell": "text", "script": "text"}, "lepton completion bash", "lepton completion zsh")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="SHELL")
def completion(session: Session, shell: str) -> None:
    """Print the script by which a SHELL (bash, zsh or fish) completes commands, options and what the ledger knows.

    Models, revisions, branches, aliases, jobs and runs are completed. Put `eval "$(lepton completion bash)"` into
    ~/.bashrc, `eval "$(lepton completion zsh)"` into ~/.zshrc below compinit, or write `lepton completion fish` to
    ~/.config/fish/completions/lepton.fish.
    """
    from .app import ASKED, lepton

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(lepton, {}, "lepton", ASKED).source()
    session.answer({"shell": shell, "script": script}, script.rstrip("\n").split("\n"))
