"""The narrator of the demo's story: says each sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..results import Performance
from ..results.description import Block
from ..results.render import plain_text, terminal
from ..results.words import Language


class Narrator:
    """Says things in the reader's language, on stdout or on stderr."""

    def __init__(self, language: Language, *, stderr: bool = False) -> None:
        self.language: Language = language
        self.console = Console(highlight=False, stderr=stderr)
        self._chapters = 0

    def chapter(self, zh: str, en: str) -> None:
        """Begin a chapter."""
        self._chapters += 1
        self.console.print(f"\n[bold cyan]{self._chapters}. {self.word(zh, en)}[/]")

    def again(self, home: Path) -> None:
        """Say that a story which was told is told anew."""
        self.console.print(self.word(f"{home}中的故事重新讲述，先清空文件夹。", f"the story in {home} is told anew"))

    def say(self, zh: str, en: str) -> None:
        """Say a sentence."""
        self.console.print("   " + self.word(zh, en))

    def word(self, zh: str, en: str) -> str:
        """The reader's one of two."""
        return zh if self.language == "zh" else en

    def code(self, text: str) -> None:
        """Show lines of code, or of what they print, as they are."""
        for line in text.splitlines():
            self.console.out(f"   {line}")

    def show(self, blocks: list[Block]) -> None:
        """Show an answer of the ledger."""
        room = self.console.width if self.console.is_terminal else None
        shown = plain_text(blocks, room) if self.console.no_color or room is None else "\n".join(terminal(blocks, room))
        print(shown, file=self.console.file)  # rich would read the codes that make styles

    def table(self, rows: Mapping[str, Performance]) -> None:
        """Figures side by side."""
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for title in ("", *self.word("精度 召回率 F1分数 AUC", "precision recall F1 AUC").split()):
            table.add_column(title, justify="left" if not title else "right")
        for name, performance in rows.items():
            figures = (performance.precision, performance.recall, performance.f1, performance.roc_auc)
            table.add_row(name, *(f"{figure:.4f}" for figure in figures))
        self.console.print(table)

    @contextmanager
    def progress(self, zh: str, en: str) -> Generator[Callable[[int, object], None]]:
        """A bar over the epochs of a fit."""
        columns = (
            TextColumn("   {task.description}"),
            BarColumn(),
            TextColumn("{task.completed}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(self.word(zh, en), total=None)
            yield lambda epoch, _: progress.update(task, completed=epoch)
