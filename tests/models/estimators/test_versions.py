"""Estimators as versions at every door: kept, loaded elsewhere, judged, compared, rolled back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed, Refused
from lepton_ai.models.estimators.model import KeptEstimator
from lepton_ai.models.estimators.parts import SCHEMA, taken_apart

from ...cli_home import Cli
from ...web.server import served
from .fitted import CODED, FRAME, LABELS, NAMES, NUMBER, TEXTS, X, Y, answers, fitted, pipeline
from .test_parts import HOSTILE, attributes, crafted

ELSEWHERE = """
import sys, numpy as np
from lepton_ai import ModelManager
from lepton_ai.tests.models.estimators.fitted import answers, fitted_rows

with ModelManager(sys.argv[1]) as manager:
    said = {}
    for name in manager.models():
        version = manager.load_version(f"{name}@1")
        for asked, answer in answers(version.estimator, fitted_rows(name)).items():
            said[f"{name} {asked}"] = answer
        said[f"{name} own"] = version.predict(fitted_rows(name))
    assert "pickle" not in sys.argv
np.savez(sys.argv[2], **said)
"""


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home, actor="ada") as manager:
        yield manager


def forest(depth: int | None = None) -> Any:
    return RandomForestClassifier(5, max_depth=depth, random_state=0).fit(X, Y)


def test_a_version_of_each_kind_says_the_same_in_another_process(
    manager: ModelManager, home: Path, tmp_path: Path
) -> None:
    for name in NAMES:
        manager.save_version(fitted()[name].estimator, name=name)

    subprocess.run((sys.executable, "-c", ELSEWHERE, str(home), str(tmp_path / "said.npz")), check=True)

    said = np.load(tmp_path / "said.npz", allow_pickle=False)
    for name in NAMES:
        kind = fitted()[name]
        for asked, answer in answers(kind.estimator, kind.rows).items():
            assert said[f"{name} {asked}"].tobytes() == answer.tobytes(), (name, asked)
    assert manager.fsck() == []


def test_the_life_of_a_forest(manager: ModelManager) -> None:
    one = manager.save_version(forest(), name="credit")
    two = manager.save_version(forest(2), name="credit")
    again = manager.load_version(two)

    assert again.estimator.get_params() == forest(2).get_params()
    assert manager.show(two).hyperparameters["max_depth"] == 2
    assert two.parents == ((1, "trained"),)
    assert manager.save_version(again, name="credit") == two  # nothing is new
    difference = manager.diff(one, two)
    assert difference.hyperparameters == {"max_depth": (None, 2)}
    assert "estimators_.tree_.nodes.threshold" in {each.name for each in difference.tensors}
    judged = [manager.evaluate(each, X, Y, name="held").performance for each in (one, two)]
    assert judged[0] == again.evaluate(X, Y) if one == two else judged[0].f1 > judged[1].f1
    manager.rollback(one, model="credit")
    assert manager.load_version("credit").predict_proba(X).tobytes() == forest().predict_proba(X).tobytes()


def test_what_was_fitted_anew_is_what_is_kept(manager: ModelManager) -> None:
    manager.save_version(LogisticRegression(C=0.1).fit(X, Y), name="credit", metrics={"f1": 0.5})
    again = manager.load_version("credit")

    again.estimator.set_params(C=9.0).fit(X, 1 - Y)
    version = manager.save_version(again, name="credit")

    assert (version, manager.show(version).hyperparameters["C"], manager.show(version).metrics) == (2, 9.0, {})
    assert (manager.load_version(2).predict(X) == again.estimator.predict(X)).all()
    manager.apply(1, again)
    assert again.estimator.C == 0.1
    assert manager.load_version(2, into=again).estimator.C == 9.0


def test_a_model_of_an_estimator_is_trained_as_any_other(manager: ModelManager) -> None:
    manager.save_version(LogisticRegression().fit(X, Y), name="credit")

    version = manager.train(manager.load_version("credit"), X[:60], Y[:60], validation=(X[60:], Y[60:]), name="credit")

    assert manager.show(version).metrics["f1"] == manager.load_version(version).evaluate(X[60:], Y[60:]).f1
    expected = LogisticRegression().fit(X[:60], Y[:60])
    assert manager.load_version(version).estimator.coef_.tobytes() == expected.coef_.tobytes()


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("pipeline", "binary"),
        ("stages", "regression"),
        ("xgboost-booster", "binary"),
        ("lightgbm-booster", "multiclass"),
    ],
)
def test_each_is_judged_by_what_it_predicts(manager: ModelManager, name: str, task: str) -> None:
    kind = fitted()[name]
    version = manager.save_version(kind.estimator, name=name)

    performance = manager.evaluate(version, kind.rows, kind.labels).performance

    assert performance.task == task
    assert manager.show(version).architecture["config"]["task"] == task
    assert task != "binary" or performance.roc_auc > 0.7


def test_rows_of_a_file_are_read_as_what_was_learnt(manager: ModelManager, home: Path, tmp_path: Path) -> None:
    rows = tmp_path / "loans.csv"
    FRAME.assign(id=range(len(FRAME)), y=LABELS).iloc[:, ::-1].to_csv(rows, index=False)
    for name, estimator in (
        ("pipe", pipeline().fit(FRAME, LABELS)),
        ("coded", fitted()["lightgbm-categories"].estimator),
    ):
        manager.save_version(estimator, name=name, data=(FRAME, LABELS))
    cli = Cli(home)

    here = manager.evaluate("pipe", FRAME, LABELS, name="here").performance
    told = cli(f"evaluate pipe {rows} --label y --name file --json")

    assert told.code == 0, told.err
    assert manager.show("pipe").metrics["file/f1"] == here.f1
    job = manager.jobs.wait(manager.jobs.evaluate("pipe", str(rows), "y", name="job").job)
    assert job.figures["f1"] == here.f1
    said = manager.predict("coded", str(rows))
    expected = fitted()["lightgbm-categories"].estimator.predict_proba(CODED)[:, 1]
    assert np.array_equal(said.column("probability_1").to_numpy(), expected)
    assert "config.type" in cli("show pipe").out
    assert "forward__C" in cli("diff pipe coded").out


def test_over_http_it_is_the_same(tmp_path: Path) -> None:
    with served(tmp_path / "served") as server, ModelManager(server.url) as remote:
        version = remote.save_version(forest(), name="credit")

        assert remote.load_version(version).predict_proba(X).tobytes() == forest().predict_proba(X).tobytes()
        assert remote.evaluate(version, X, Y).performance == server.manager.load_version(1).evaluate(X, Y)
        assert remote.diff(version, version).tensors == ()


def test_a_crafted_version_is_refused_as_it_is_loaded_and_as_it_is_judged(manager: ModelManager, home: Path) -> None:
    tensors = crafted("logistic", lambda told: attributes(told).update(crafted=HOSTILE["called by reduce"]))
    told = {"class": "estimator", "config": {"type": "sklearn.linear_model.LogisticRegression", "task": "binary"}}
    version = manager.save_version(tensors, name="crafted", architecture=told)

    for ask in (lambda: manager.load_version(version), lambda: manager.evaluate(version, X, Y)):
        with pytest.raises(Refused, match=r"subprocess\.Popen is none of the classes"):
            ask()
    assert set(manager.load_arrays(version)) == set(tensors)  # what is in it can be looked at


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("skops", "xgboost", "lightgbm"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from lepton_ai import ModelManager
from lepton_ai.errors import Refused
with ModelManager(sys.argv[1]) as manager:
    for name in sys.argv[2:]:
        try:
            manager.load_version(name)
        except Refused as refusal:
            print(refusal)
"""


def test_without_its_library_a_version_says_what_to_install(manager: ModelManager, home: Path) -> None:
    libraries = {"forest": "skops", "xgboost": "xgboost", "lightgbm-booster": "lightgbm"}
    for name in libraries:
        manager.save_version(fitted()[name].estimator, name=name)

    command = (sys.executable, "-c", BLOCKED, str(home), *libraries)
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        f"{library} is not installed; `pip install 'lepton-ai-sdk[estimators]'` installs it"
        for library in libraries.values()
    ], done.stderr


def test_another_version_of_scikit_learn_is_warned_of(manager: ModelManager) -> None:
    tensors = taken_apart(LogisticRegression().fit(X, Y))
    told = tensors[SCHEMA].tobytes().replace(json.dumps(json.dumps(sklearn_version())).encode(), rb'"\"1.0.2\""')
    told_of = {"class": "estimator", "config": {"libraries": {"scikit-learn": "1.0.2"}}}
    older = {**tensors, SCHEMA: np.frombuffer(told, np.uint8)}
    version = manager.save_version(older, name="older", architecture=told_of)

    with pytest.warns(InconsistentVersionWarning, match=r"1\.0\.2"):
        manager.load_version(version)


def sklearn_version() -> str:
    import sklearn

    return sklearn.__version__


REFUSED: dict[str, tuple[Any, str]] = {
    "unfitted": (LogisticRegression(), "LogisticRegression has learnt nothing yet; fit it first"),
    "an unfitted pipeline": (pipeline(), "Pipeline has learnt nothing yet"),
    "an unfitted booster": (xgboost.Booster(), "Booster has learnt nothing yet"),
    "a class": (LogisticRegression, "give an object of it"),
    "no estimator": (object(), "give a Lepton model, a torch module, a fitted estimator or a mapping of tensors"),
    "a list of estimators": ([LogisticRegression().fit(X, Y)], "cannot be kept; give a Lepton model"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_fitted_estimator_is_refused_in_a_sentence(manager: ModelManager, what: str) -> None:
    source, said = REFUSED[what]

    with pytest.raises(Refused) as refusal:
        manager.save_version(source, name="credit")

    assert said in str(refusal.value)


WRONG: dict[str, tuple[Any, Any, str]] = {
    "fewer columns of an array": (LogisticRegression().fit(X, Y), X[:, :2], "X has 2 features"),
    "gaps": (LogisticRegression().fit(X, Y), np.full((3, 4), np.nan), "contains NaN"),
    "a frame that lacks one": (pipeline().fit(FRAME, LABELS), FRAME.drop(columns="debt"), "lacks column 'debt'"),
    "text for numbers": (
        LogisticRegression().fit(X, Y),
        {"a": ["x"], "b": ["y"], "c": ["z"], "d": ["w"]},
        "column 'a', 'b', 'c', 'd' holds no numbers",
    ),
    "no rows": (LogisticRegression().fit(X, Y), X[:0], "0 sample"),
    "no table": (LogisticRegression().fit(X, Y), "rows", "give rows as it learnt"),
}


@pytest.mark.parametrize("what", WRONG)
def test_rows_other_than_it_learnt_are_refused_in_a_sentence(what: str) -> None:
    estimator, rows, said = WRONG[what]

    with pytest.raises(Refused) as refusal:
        KeptEstimator.of(estimator).predict(rows)

    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_cannot_be_said_is_refused_in_a_sentence() -> None:
    with pytest.raises(Malformed, match="the estimator SVC gives no probabilities; call predict"):
        KeptEstimator.of(SVC().fit(X, Y)).predict_proba(X)
    for estimator in (KMeans(2).fit(X), LinearRegression().fit(X, np.c_[NUMBER, NUMBER])):
        with pytest.raises(Refused, match="predicts neither classes nor a number, so it cannot be judged"):
            KeptEstimator.of(estimator).evaluate(X, Y)
    with pytest.raises(Refused, match="is trained by its library"):
        KeptEstimator.of(fitted()["xgboost-booster"].estimator).train(X, Y)
    with pytest.raises(Refused, match="this model holds no estimator yet"):
        KeptEstimator().predict(X)


def test_a_frame_in_another_order_and_with_more_is_read_by_its_names() -> None:
    pipe = pipeline().fit(FRAME, LABELS)
    shuffled = FRAME.iloc[:, ::-1].assign(id=1)

    model = KeptEstimator.of(pipe)

    assert (model.predict(shuffled) == pipe.predict(FRAME)).all()
    assert model.classes_ == ("bad", "good")


def test_a_table_of_one_column_of_text_is_texts() -> None:
    model = KeptEstimator.of(fitted()["texts"].estimator)

    assert (model.predict({"text": TEXTS}) == model.predict(TEXTS)).all()
    assert model.hyperparameters["estimator__logisticregression__C"] == 1.0
    assert "estimator__steps" not in model.hyperparameters


SPACED = pd.DataFrame(X, columns=["loan amount", "debt", "d e f", "x"])
NUMBERED = pd.DataFrame(X)
BOOSTED: dict[str, Any] = {
    "xgboost": lambda rows: xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(rows, Y),
    "lightgbm": lambda rows: lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1).fit(rows, Y),
    "xgboost-booster": lambda rows: xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(rows, Y), 3),
    "lightgbm-booster": lambda rows: lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(rows, Y), 3
    ),
}


@pytest.mark.parametrize("rows", [SPACED, NUMBERED], ids=["names with spaces", "numbers as names"])
@pytest.mark.parametrize("name", BOOSTED)
def test_the_frame_that_it_learnt_is_read_in_any_order(manager: ModelManager, name: str, rows: pd.DataFrame) -> None:
    kept = manager.load_version(manager.save_version(BOOSTED[name](rows), name="net"))
    columns = [*rows.columns][::-1]

    assert np.array_equal(kept.predict(rows), kept.predict(rows[columns].assign(more=1.0)))
    figures = manager.evaluate("net", rows[columns], Y, name="own").performance
    assert figures.accuracy == pytest.approx((kept.predict(rows) == Y).mean())
    with pytest.raises(Malformed, match="the data lacks column"):
        kept.predict(rows[columns[1:]])


def test_what_is_no_choice_of_one_class_is_judged_by_what_it_calls(manager: ModelManager) -> None:
    three = Y + (X[:, 3] > 0)
    quiet: dict[str, Any] = {"verbose": -1, "num_threads": 1}
    against_all = {"objective": "multiclassova", "num_class": 3, **quiet}
    judged = {
        "net": MLPClassifier((5,), max_iter=30, random_state=0).fit(X, three),
        "all": lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1, objective="multiclassova").fit(X, three),
        "booster": lightgbm.train(against_all, lightgbm.Dataset(X, three), 3),
    }
    for name, estimator in judged.items():
        figures = manager.evaluate(manager.save_version(estimator, name=name), X, three, name="own")
        called = np.asarray(estimator.predict(X))
        called = called.argmax(axis=1) if called.ndim > 1 else called
        assert figures.performance.accuracy == pytest.approx((called == three).mean())
    several = MLPClassifier((5,), max_iter=30).fit(X, np.stack([Y, 1 - Y], axis=1))
    rates = lightgbm.train({"objective": "cross_entropy_lambda", **quiet}, lightgbm.Dataset(X, Y), 3)
    for name, estimator in {"several": several, "rates": rates}.items():
        with pytest.raises(Refused, match="predicts neither classes nor a number"):
            manager.evaluate(manager.save_version(estimator, name=name), X, Y, name="own")


def test_a_merge_of_lightgbms_loads(manager: ModelManager) -> None:
    def fit(rate: float) -> Any:
        return lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1, learning_rate=rate).fit(X, Y)

    manager.save_version(fit(0.1), name="net")
    manager.branch("side", "net@1")
    merged = manager.merge(manager.save_version(fit(0.2), name="net", branch="side"), into="main")

    assert len(manager.load_version(merged).predict(X)) == len(X)


def test_what_would_not_come_back_is_not_saved(manager: ModelManager, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise Malformed("a tree leads nowhere; nothing was built")

    monkeypatch.setattr("lepton_ai.models.estimators.model.put_together", broken)

    with pytest.raises(Refused, match="would not come back: a tree leads nowhere"):
        manager.save_version(forest(), name="net")
    with pytest.raises(Refused, match="there is no ledger"):
        manager.show("net@1")


def test_what_has_no_module_is_refused_in_a_sentence(manager: ModelManager) -> None:
    split = make_pipeline(TfidfVectorizer(tokenizer=str.split, token_pattern=None), LogisticRegression())
    with pytest.raises(Refused, match="method_descriptor is none of the classes"):
        manager.save_version(split.fit(TEXTS, LABELS), name="net")
