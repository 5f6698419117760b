"""The main job on real data, told as a story: train, tune, compare, deploy, find out, roll back, exactly."""

from __future__ import annotations

import os
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import bootstrap

from ..errors import LeptonError
from ..manager import ModelManager
from ..models import CreditScoringModel
from ..results import Performance, RollbackPlan
from .german_credit import LABEL, MISSED, Applicants, Bank, costs, load, split, stages
from .narrator import Narrator
from .place import environment

MODEL: Final = "credit-risk"
RATES: Final = (0.003, 0.01, 0.03)
DRAWS: Final = 10_000
SAMPLE: Final = {
    "模型版本{version}已保存": "model version {version} is saved",
    "回退到版本{version}": "back at version {version}",
    "模型性能：{performance}": "its performance: {performance}",
}
"""What the sample says, in English."""


def tell(narrator: Narrator, home: Path) -> None:
    """Tell the whole story in the ledger of a home, by the actor `demo`."""
    own = {**os.environ, "LEPTON_HOME": str(home), "LEPTON_ACTOR": "demo"}
    with environment(own), warnings.catch_warnings(), ModelManager() as manager:
        warnings.simplefilter("ignore")
        _story(narrator, manager, home)


def _story(narrator: Narrator, manager: ModelManager, home: Path) -> None:
    rows = load()
    run_sample(narrator, rows)
    bank = stages(rows)
    for name, part in bank.named().items():
        manager.add_data(name, part.data, part.labels, keep=True)
    first = train_first(narrator, manager, home, bank)
    second = tune_second(narrator, manager, home, bank)
    compare(narrator, manager, bank, first, second)
    before = evaluated(manager, first, bank.production, "production")
    if not production_is_worse(narrator, manager, bank, before, second):
        return
    roll_back(narrator, manager, bank, first, before)
    narrator.chapter("历史，一步不少", "History, with nothing forgotten")
    narrator.show(list(manager.log(f"{MODEL}@main").graph()))


def run_sample(narrator: Narrator, rows: Applicants) -> None:
    """The README's sample, letter for letter; in English what it says is."""
    narrator.chapter("最初的十五行", "The first fifteen lines")
    sample = files("lepton_ai.demo").joinpath("sample.txt").read_text(encoding="utf-8")
    for said, english in SAMPLE.items():
        sample = sample.replace(said, narrator.word(said, english))
    narrator.code(sample)
    narrator.code(" ")
    training, _, test = split(rows)
    names = {
        "train_data": training.data,
        "train_labels": training.labels,
        "test_data": test.data,
        "test_labels": test.labels,
        "print": narrator.code,
    }
    exec(compile(sample, "sample.txt", "exec"), names)  # noqa: S102 - the sample itself is run, not a copy of it


def train_first(narrator: Narrator, manager: ModelManager, home: Path, bank: Bank) -> int:
    """Version 1, from the old records."""
    narrator.chapter("版本1：用旧档案训练", "Version 1, from the old records")
    narrator.say(
        "旧档案里，三位申请人中只有一位是老客户，银行有其内部记录。",
        "Of the old records, one applicant in three was a customer with a file at the bank.",
    )
    version = trained(
        narrator,
        manager,
        home / "old-records.parquet",
        bank.old_records,
        message=narrator.word("用旧档案训练", "trained on the old records"),
        tags=["first"],
    )
    manager.alias("production", f"{MODEL}@{version}", reason=narrator.word("首次上线", "first release"))
    narrator.say(
        f"训练由工作进程完成，自动记为版本{version}，并上线。",
        f"A worker did the training, which made version {version} by itself; it goes live.",
    )
    return version


def trained(narrator: Narrator, manager: ModelManager, path: Path, rows: Applicants, **asked: Any) -> int:
    """Ask for a training on rows in a file and wait for the version: a worker does it, here or wherever one is."""
    rows.data.assign(**{LABEL: rows.labels}).to_parquet(path)
    with narrator.progress("训练", "training") as epoch:
        job = manager.jobs.train("credit-scoring-model", str(path), LABEL, name=MODEL, **asked)
        job = manager.jobs.wait(job.job, on_epoch=epoch)
    if job.version is None:
        raise LeptonError(f"{job.status}: {job.reason or job.error}")
    return int(job.version)


def tune_second(narrator: Narrator, manager: ModelManager, home: Path, bank: Bank) -> int:
    """Version 2, the best of three learning rates on the new records."""
    narrator.chapter("版本2：在新档案上调参", "Version 2, tuned on the new records")
    narrator.say(
        "新档案里的申请人全是老客户。",
        "The new records are of customers alone: there is a file on each.",
    )
    best, best_auc = RATES[0], -1.0
    for rate in RATES:
        model = CreditScoringModel()
        model.add_hyperparameter("learning_rate", rate)
        with narrator.progress(f"学习率 {rate}", f"learning rate {rate}") as epoch:
            model.train(bank.new_records.data, bank.new_records.labels, on_epoch=epoch)
        auc = model.evaluate(bank.validation.data, bank.validation.labels).roc_auc or 0.0
        if auc > best_auc:
            best, best_auc = rate, auc
    version = trained(
        narrator, manager, home / "new-records.parquet", bank.new_records,
        hyperparameters={"learning_rate": best}, message=narrator.word("在新档案上调参", "tuned on the new records"),
    )  # fmt: skip
    delta = manager.show(f"{MODEL}@{version}").delta
    assert delta is not None
    narrator.say(
        f"学习率{best}最好，由它训练出版本{version}；差值Δ：{delta['elements']:,}个元素，{delta['bytes']:,}字节，逐位精确。",
        f"The rate {best} does best, and makes version {version}; Δ: {delta['elements']:,} elements in "
        f"{delta['bytes']:,} bytes, exact to the bit.",
    )
    return version


def compare(narrator: Narrator, manager: ModelManager, bank: Bank, first: int, second: int) -> None:
    """Both on the validation rows; the better one goes live."""
    narrator.chapter("在验证集上比较", "Compared on the validation rows")
    figures = {number: evaluated(manager, number, bank.validation, "validation") for number in (first, second)}
    narrator.table({narrator.word(f"版本{n}", f"version {n}"): each for n, each in figures.items()})
    best = manager.compare(*(f"{MODEL}@{number}" for number in figures), metric="roc_auc").best
    assert best is not None
    manager.alias("production", best, reason=narrator.word("验证集上更好", "better on validation"))
    narrator.say(f"版本{best}更好，上线。", f"Version {best} does better and goes live.")


def evaluated(manager: ModelManager, version: int, rows: Applicants, name: str) -> Performance:
    """A version's figures on rows, which the ledger is told under a name of their own."""
    performance = manager.evaluate(f"{MODEL}@{version}", rows.data, rows.labels, name=name).performance
    assert isinstance(performance, Performance)
    return performance


def production_is_worse(
    narrator: Narrator, manager: ModelManager, bank: Bank, before: Performance, second: int
) -> bool:
    """Version 2 on the rows that production brings, beside version 1 on the same rows: whether it costs more."""
    narrator.chapter("生产环境", "Production")
    narrator.say(
        "新渠道的申请人来自其他银行，本行没有他们的内部记录，表格里填的是“无支票账户”之类。",
        'The new channel brings customers of other banks: there is no file on them here, and the form says "no '
        'checking account" and the like.',
    )
    narrator.say(
        f"事先定下的规则：按数据自带的代价（坏账当好账计{MISSED}，反之计1），只有多出的代价的95%配对区间全在0以上才回退。",
        f"The rule, stated before: at the data's own cost ({MISSED} for a bad loan called good, 1 for the reverse) it "
        "is rolled back only where the 95% paired interval of what it costs more lies above 0.",
    )
    live = manager.aliases(model=MODEL)["production"]
    now = evaluated(manager, int(live), bank.production, "production")
    narrator.table({
        narrator.word(f"版本{live}（在线）", f"version {live} (live)"): now,
        narrator.word("版本1（影子）", "version 1 (shadow)"): before,
    })  # fmt: skip
    low, _ = extra_cost(narrator, manager, bank, live)
    if int(live) == second and low > 0:
        narrator.say("在线版本更贵，回退。", "The live version costs more, beyond chance: it goes.")
        return True
    narrator.say(
        "没有证明在线版本更贵，故事到此为止。",
        "That the live version costs more is not shown, and the story ends here.",
    )
    return False


def extra_cost(narrator: Narrator, manager: ModelManager, bank: Bank, live: str | int) -> tuple[float, float]:
    """What the live version costs an applicant more than version 1: the 95 % paired bootstrap interval (BCa)."""
    rows = bank.production
    spent = [costs(rows.labels, manager.load_version(f"{MODEL}@{n}").predict(rows.data)) for n in (1, live)]
    more = spent[1] - spent[0]
    interval = bootstrap((more,), np.mean, n_resamples=DRAWS, rng=np.random.default_rng(2026)).confidence_interval
    low, high = float(interval.low), float(interval.high)
    narrator.say(
        f"代价：版本{live}为{spent[1].sum():.0f}，版本1为{spent[0].sum():.0f}；每位申请人多{more.mean():+.3f}，"
        f"区间[{low:+.3f}, {high:+.3f}]（{DRAWS}次抽样）。",
        f"Cost: {spent[1].sum():.0f} by version {live}, {spent[0].sum():.0f} by version 1; an applicant costs "
        f"{more.mean():+.3f} more, interval [{low:+.3f}, {high:+.3f}] of {DRAWS:,} draws.",
    )
    return low, high


def roll_back(narrator: Narrator, manager: ModelManager, bank: Bank, first: int, before: Performance) -> None:
    """Suggestion, dry run, rehearsal, rollback, and the same figures again."""
    narrator.chapter("回退", "The rollback")
    serving = manager.load_version(f"{MODEL}@production")
    suggested = manager.suggest_rollback(model=MODEL)
    narrator.say(f"建议回退到版本{suggested.version}。", f"Suggested: {suggested}")
    plan = manager.rollback(suggested.version, model=MODEL, dry_run=True)
    assert isinstance(plan, RollbackPlan)
    left = ", ".join(plan.aliases_left_behind)
    narrator.say(
        f"演习：{plan.tensors_changed}个张量、{plan.bytes_changed:,}字节会变；落在后面的别名：{left or '无'}。",
        f"Dry run: {plan.tensors_changed} tensors, {plan.bytes_changed:,} bytes would change; "
        f"aliases left behind: {left or 'none'}.",
    )
    done = manager.rollback(
        suggested.version, model=MODEL, move_aliases=plan.aliases_left_behind,
        rehearse=(bank.production.data, bank.production.labels),
        reason=narrator.word("生产环境中更贵", "costs more in production"),
    )  # fmt: skip
    assert done.rehearsal is not None
    gain = done.rehearsal.difference["f1"]
    narrator.say(f"预演：同样的数据上F1相差{gain:+.4f}。", f"Rehearsal: on the same rows F1 differs by {gain:+.4f}.")
    replayed = manager.apply(f"{MODEL}@production", serving)
    narrator.say(
        f"正在服务的模型就地回退，重放了{len(replayed)}个差值：θ₁ = θ₂ − Δ。",
        f"The model in service went back in place by replaying {len(replayed)} delta: θ₁ = θ₂ − Δ.",
    )
    again = serving.evaluate(bank.production.data, bank.production.labels)
    narrator.table({narrator.word(f"版本{first}（回退之后）", f"version {first} (after the rollback)"): again})
    if again != before:
        raise LeptonError("the figures after the rollback differ from those before")
    narrator.say("与回退之前逐位相同。", "Equal to the first evaluation to the last digit.")
