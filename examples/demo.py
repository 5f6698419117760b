"""The main job on real data, told as a story: train, tune, compare, deploy, find out, roll back, exactly."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from german_credit import LABEL, MISSED, Bank, Rows, costs, load, split, stages
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from lepton_ai import ModelManager
    from lepton_ai.results import Performance

MODEL = "credit-risk"
RATES = (0.003, 0.01, 0.03)
DRAWS = 10_000
SAMPLE = {
    "模型版本{version}已保存": "model version {version} is saved",
    "回退到版本{version}": "back at version {version}",
    "模型性能：{performance}": "its performance: {performance}",
}
"""What the sample says, in English."""
MARK = "made-by-the-demo"


class Story:
    """Says things in the reader's language."""

    def __init__(self, language: str) -> None:
        self.chinese = language == "zh"
        self.console = Console(highlight=False)
        self.chapters = 0

    def chapter(self, zh: str, en: str) -> None:
        """Begin a chapter."""
        self.chapters += 1
        self.console.print(f"\n[bold cyan]{self.chapters}. {self.word(zh, en)}[/]")

    def say(self, zh: str, en: str) -> None:
        """Say a sentence."""
        self.console.print("   " + self.word(zh, en))

    def word(self, zh: str, en: str) -> str:
        """The reader's one of two."""
        return zh if self.chinese else en

    def table(self, rows: dict[str, Performance]) -> None:
        """Figures side by side."""
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for title in ("", *self.word("精度 召回率 F1分数 AUC", "precision recall F1 AUC").split()):
            table.add_column(title, justify="left" if not title else "right")
        for name, found in rows.items():
            figures = (found.precision, found.recall, found.f1, found.roc_auc)
            table.add_row(name, *(f"{figure:.4f}" for figure in figures))
        self.console.print(table)

    @contextmanager
    def progress(self, zh: str, en: str) -> Iterator[Callable[[int, Any], None]]:
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


def tell(story: Story, manager: ModelManager, home: Path) -> None:
    """The whole story."""
    rows = load()
    run_sample(story, rows)
    bank = stages(rows)
    first = train_first(story, manager, home, bank)
    second = tune_second(story, manager, home, bank)
    compare(story, manager, bank, first, second)
    before = manager.evaluate(f"{MODEL}@{first}", bank.production.data, bank.production.labels, name="production")
    if not production_is_worse(story, manager, bank, before.performance, second):
        return
    roll_back(story, manager, bank, first, before.performance)
    tree(story, home)


def run_sample(story: Story, rows: Rows) -> None:
    """MISSION's sample, letter for letter; in English what it says is."""
    story.chapter("最初的十五行", "The first fifteen lines")
    sample = Path(__file__).with_name("sample.py").read_text()
    for said, english in SAMPLE.items():
        sample = sample.replace(said, story.word(said, english))
    for line in sample.splitlines()[2:]:
        story.console.print(f"   [dim]{line}[/]", markup=True) if "[" not in line else story.console.out(f"   {line}")
    training, _, test = split(rows)
    story.console.print()
    names = {
        "train_data": training.data,
        "train_labels": training.labels,
        "test_data": test.data,
        "test_labels": test.labels,
    }
    exec(compile(sample, "sample.py", "exec"), names)


def train_first(story: Story, manager: ModelManager, home: Path, bank: Bank) -> int:
    """Version 1, from the old records."""
    story.chapter("版本1：用旧档案训练", "Version 1, from the old records")
    story.say(
        "旧档案里，三位申请人中只有一位是老客户，银行有其内部记录。",
        "Of the old records, one applicant in three was a customer with a file at the bank.",
    )
    version = trained(
        story,
        manager,
        home / "old-records.parquet",
        bank.old_records,
        message=story.word("用旧档案训练", "trained on the old records"),
        tags=["first"],
    )
    manager.alias("production", f"{MODEL}@{version}", reason=story.word("首次上线", "first release"))
    story.say(
        f"训练由工作进程完成，自动记为版本{version}，并上线。",
        f"A worker did the training, which made version {version} by itself; it goes live.",
    )
    return version


def trained(story: Story, manager: ModelManager, path: Path, rows: Rows, **asked: Any) -> int:
    """Ask for a training on rows in a file and wait for the version: a worker does it, here or wherever one is."""
    rows.data.assign(**{LABEL: rows.labels}).to_parquet(path)
    with story.progress("训练", "training") as epoch:
        job = manager.jobs.train("credit-scoring-model", str(path), LABEL, name=MODEL, **asked)
        job = manager.jobs.wait(job.job, on_epoch=epoch)
    if job.version is None:
        raise SystemExit(f"{job.status}: {job.reason or job.error}")
    return int(job.version)


def tune_second(story: Story, manager: ModelManager, home: Path, bank: Bank) -> int:
    """Version 2, the best of three learning rates on the new records."""
    from lepton_ai.models import CreditScoringModel

    story.chapter("版本2：在新档案上调参", "Version 2, tuned on the new records")
    story.say(
        "新档案里的申请人全是老客户。",
        "The new records are of customers alone: there is a file on each.",
    )
    best, best_auc = RATES[0], -1.0
    for rate in RATES:
        model = CreditScoringModel()
        model.add_hyperparameter("learning_rate", rate)
        with story.progress(f"学习率 {rate}", f"learning rate {rate}") as epoch:
            model.train(bank.new_records.data, bank.new_records.labels, on_epoch=epoch)
        auc = model.evaluate(bank.validation.data, bank.validation.labels).roc_auc or 0.0
        if auc > best_auc:
            best, best_auc = rate, auc
    version = trained(
        story, manager, home / "new-records.parquet", bank.new_records,
        hyperparameters={"learning_rate": best}, message=story.word("在新档案上调参", "tuned on the new records"),
    )  # fmt: skip
    delta = manager.show(f"{MODEL}@{version}").delta
    assert delta is not None
    story.say(
        f"学习率{best}最好，由它训练出版本{version}；差值Δ：{delta['elements']:,}个元素，{delta['bytes']:,}字节，逐位精确。",
        f"The rate {best} does best, and makes version {version}; Δ: {delta['elements']:,} elements in "
        f"{delta['bytes']:,} bytes, exact to the bit.",
    )
    return version


def compare(story: Story, manager: ModelManager, bank: Bank, first: int, second: int) -> None:
    """Both on the validation rows; the better one goes live."""
    story.chapter("在验证集上比较", "Compared on the validation rows")
    found = {
        number: manager.evaluate(f"{MODEL}@{number}", bank.validation.data, bank.validation.labels, name="validation")
        for number in (first, second)
    }
    story.table({story.word(f"版本{n}", f"version {n}"): each.performance for n, each in found.items()})
    best = manager.compare(*(f"{MODEL}@{number}" for number in found), metric="roc_auc").best
    manager.alias("production", best, reason=story.word("验证集上更好", "better on validation"))
    story.say(f"版本{best}更好，上线。", f"Version {best} does better and goes live.")


def production_is_worse(story: Story, manager: ModelManager, bank: Bank, before: Performance, second: int) -> bool:
    """Version 2 on the rows that production brings, beside version 1 on the same rows: whether it costs more."""
    story.chapter("生产环境", "Production")
    story.say(
        "新渠道的申请人来自其他银行，本行没有他们的内部记录，表格里填的是“无支票账户”之类。",
        'The new channel brings customers of other banks: there is no file on them here, and the form says "no '
        'checking account" and the like.',
    )
    story.say(
        f"事先定下的规则：按数据自带的代价（坏账当好账计{MISSED}，反之计1），只有多出的代价的95%配对区间全在0以上才回退。",
        f"The rule, stated before: at the data's own cost ({MISSED} for a bad loan called good, 1 for the reverse) it "
        "is rolled back only where the 95% paired interval of what it costs more lies above 0.",
    )
    live = manager.aliases(model=MODEL)["production"]
    now = manager.evaluate(live, bank.production.data, bank.production.labels, name="production").performance
    story.table({
        story.word(f"版本{live}（在线）", f"version {live} (live)"): now,
        story.word("版本1（影子）", "version 1 (shadow)"): before,
    })  # fmt: skip
    low, _ = extra_cost(story, manager, bank, live)
    if int(live) == second and low > 0:
        story.say("在线版本更贵，回退。", "The live version costs more, beyond chance: it goes.")
        return True
    story.say(
        "没有证明在线版本更贵，故事到此为止。",
        "That the live version costs more is not shown, and the story ends here.",
    )
    return False


def extra_cost(story: Story, manager: ModelManager, bank: Bank, live: str | int) -> tuple[float, float]:
    """What the live version costs an applicant more than version 1: the 95 % paired bootstrap interval (BCa)."""
    from scipy.stats import bootstrap

    rows = bank.production
    spent = [costs(rows.labels, manager.load_version(f"{MODEL}@{n}").predict(rows.data)) for n in (1, live)]
    more = spent[1] - spent[0]
    interval = bootstrap((more,), np.mean, n_resamples=DRAWS, rng=np.random.default_rng(2026)).confidence_interval
    low, high = float(interval.low), float(interval.high)
    story.say(
        f"代价：版本{live}为{spent[1].sum():.0f}，版本1为{spent[0].sum():.0f}；每位申请人多{more.mean():+.3f}，"
        f"区间[{low:+.3f}, {high:+.3f}]（{DRAWS}次抽样）。",
        f"Cost: {spent[1].sum():.0f} by version {live}, {spent[0].sum():.0f} by version 1; an applicant costs "
        f"{more.mean():+.3f} more, interval [{low:+.3f}, {high:+.3f}] of {DRAWS:,} draws.",
    )
    return low, high


def roll_back(story: Story, manager: ModelManager, bank: Bank, first: int, before: Performance) -> None:
    """Suggestion, dry run, rehearsal, rollback, and the same figures again."""
    story.chapter("回退", "The rollback")
    serving = manager.load_version(f"{MODEL}@production")
    suggested = manager.suggest_rollback(model=MODEL)
    story.say(f"建议回退到版本{suggested.version}。", f"Suggested: {suggested}")
    plan = manager.rollback(suggested.version, model=MODEL, dry_run=True)
    left = ", ".join(plan.aliases_left_behind)
    story.say(
        f"演习：{plan.tensors_changed}个张量、{plan.bytes_changed:,}字节会变；落在后面的别名：{left or '无'}。",
        f"Dry run: {plan.tensors_changed} tensors, {plan.bytes_changed:,} bytes would change; "
        f"aliases left behind: {left or 'none'}.",
    )
    done = manager.rollback(
        suggested.version, model=MODEL, move_aliases=plan.aliases_left_behind,
        rehearse=(bank.production.data, bank.production.labels),
        reason=story.word("生产环境中更贵", "costs more in production"),
    )  # fmt: skip
    gain = done.rehearsal.difference["f1"]
    story.say(f"预演：同样的数据上F1相差{gain:+.4f}。", f"Rehearsal: on the same rows F1 differs by {gain:+.4f}.")
    replayed = manager.apply(f"{MODEL}@production", serving)
    story.say(
        f"正在服务的模型就地回退，重放了{len(replayed)}个差值：θ₁ = θ₂ − Δ。",
        f"The model in service went back in place by replaying {len(replayed)} delta: θ₁ = θ₂ − Δ.",
    )
    again = serving.evaluate(bank.production.data, bank.production.labels)
    story.table({story.word(f"版本{first}（回退之后）", f"version {first} (after the rollback)"): again})
    if again != before:
        raise SystemExit(
            story.word("回退之后的结果与之前不同！", "the figures after the rollback differ from those before")
        )
    story.say("与回退之前逐位相同。", "Equal to the first evaluation to the last digit.")


def tree(story: Story, home: Path) -> None:
    """History as it stands: nothing was forgotten."""
    story.chapter("历史，一步不少", "History, with nothing forgotten")
    lepton = Path(sys.executable).with_name("lepton")
    command = [str(lepton), "--home", str(home), "log", "--graph", f"{MODEL}@main"]
    subprocess.run(command, check=True)
    shown = "lepton" if shutil.which("lepton") else os.path.relpath(lepton)
    story.console.print(f"\n   [dim]{shown} --home {home} log --graph {MODEL}@main[/]", soft_wrap=True)


def fresh(home: Path) -> Path:
    """The demo's own home, emptied: never a folder that something else made."""
    if home.exists() and not (home / MARK).exists():
        raise SystemExit(f"{home} was not made by the demo; choose another folder with --home")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARK).touch()
    return home


def main() -> None:
    """Read the arguments and tell the story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".demo"), help="folder of the demo's ledger, made anew")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    arguments = parser.parse_args()
    home = fresh(arguments.home)
    os.environ |= {"LEPTON_HOME": str(home), "LEPTON_LANG": arguments.lang, "LEPTON_ACTOR": "demo"}
    warnings.filterwarnings("ignore")
    logging.basicConfig(level=logging.WARNING)
    from lepton_ai import ModelManager

    with ModelManager() as manager:
        tell(Story(arguments.lang), manager, home)


if __name__ == "__main__":
    main()
