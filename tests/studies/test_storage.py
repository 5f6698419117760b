"""Optuna's storage over a ledger: its own suite on both databases, and what the ledger promises beside."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.storages import fail_stale_trials
from optuna.study import Study, StudyDirection, create_study, delete_study, load_study
from optuna.testing.pytest_storages import StorageTestCase
from optuna.trial import FrozenTrial, TrialState

from lepton_ai import ModelManager
from lepton_ai.domain.access.rights import Rights
from lepton_ai.domain.studies.commands import CreateStudy, DeleteStudy
from lepton_ai.errors import Forbidden, Malformed, ReadOnly, Refused
from lepton_ai.optuna import LedgerStorage


@pytest.fixture
def storage(url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerStorage]:
    monkeypatch.setenv("LEPTON_DATABASE", url)
    monkeypatch.setenv("LEPTON_LEDGER", f"t{uuid4().hex[:16]}")
    with ModelManager(home) as manager:
        yield LedgerStorage(manager)


class TestLedgerStorage(StorageTestCase):
    """All that Optuna asks of a storage."""


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home) as manager:
        yield manager


def studied(storage: LedgerStorage, name: str = "s", trials: int = 3) -> Study:
    study = create_study(storage=storage, study_name=name, sampler=RandomSampler(seed=1))
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=trials)
    return study


def test_a_study_is_found_again_from_another_process_that_opens_the_home(manager: ModelManager, home: Path) -> None:
    study = studied(LedgerStorage(manager))
    code = (
        "import sys; from optuna.study import load_study; from lepton_ai.optuna import LedgerStorage;"
        "study = load_study(study_name='s', storage=LedgerStorage(sys.argv[1]));"
        "print(len(study.trials), study.best_value)"
    )

    program, environment = (sys.executable, "-c", code, home), os.environ | {"PYTHONSAFEPATH": "1"}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["3", str(study.best_value)]


def test_only_one_of_those_who_see_a_waiting_trial_runs_it(manager: ModelManager, home: Path) -> None:
    storage = LedgerStorage(manager)
    study = create_study(storage=storage, study_name="s")
    study.enqueue_trial({"x": 0.5})
    (waiting,) = study.get_trials(states=(TrialState.WAITING,))
    with ModelManager(home) as other:
        storages = [storage, LedgerStorage(other)]
        with ThreadPoolExecutor(4) as threads:
            won = threads.map(
                lambda n: storages[n % 2].set_trial_state_values(waiting._trial_id, TrialState.RUNNING), range(8)
            )

        assert sorted(won) == [False] * 7 + [True]


def test_a_deleted_study_begins_anew_and_its_trials_stay_in_the_log(manager: ModelManager) -> None:
    storage = LedgerStorage(manager)
    before = studied(storage).trials[0]._trial_id
    delete_study(study_name="s", storage=storage)

    again = studied(storage, trials=1)

    assert [trial.number for trial in again.trials] == [0]
    with pytest.raises(KeyError):
        storage.get_trial(before)
    assert manager.sql("SELECT count(*) AS n FROM trials")["n"].to_pylist() == [4]
    assert manager.sql("SELECT trials, deleted IS NULL AS s FROM studies ORDER BY seq").to_pylist() == [
        {"trials": 3, "s": False},
        {"trials": 1, "s": True},
    ]


@pytest.mark.parametrize("name", ["", "a/b", "%_", "größe 大小", "\x1b[1m", "x" * 512, " "])
def test_any_text_names_a_study(manager: ModelManager, name: str) -> None:
    storage = LedgerStorage(manager)
    studied(storage, "other")

    studied(storage, name, trials=1)

    assert len(load_study(study_name=name, storage=storage).trials) == 1
    assert [study.study_name for study in storage.get_all_studies()] == ["other", name]


@pytest.mark.parametrize("name", ["x" * 513, "a\0b", "\ud800"])
def test_a_name_that_no_database_holds_is_refused(manager: ModelManager, name: str) -> None:
    with pytest.raises(Malformed):
        LedgerStorage(manager).create_new_study([StudyDirection.MINIMIZE], name)
    assert LedgerStorage(manager).get_all_studies() == []


def test_what_a_number_was_and_what_a_text_was_is_known_apart(manager: ModelManager) -> None:
    storage = LedgerStorage(manager)
    study = create_study(storage=storage)
    said = {"a/b~c": [math.inf, "Infinity", {"n": 10**30, "t": "10"}], "n": -math.inf, "t": "-Infinity"}
    study.set_user_attr("said", said)
    trial = study.ask()
    choices = ("Infinity", math.inf, True, 1, 1.0, None)
    storage.set_trial_param(trial._trial_id, "x", 1, CategoricalDistribution(choices))

    again = LedgerStorage(manager)

    assert again.get_study_user_attrs(study._study_id)["said"] == said
    assert again.get_trial(trial._trial_id).params == {"x": math.inf}
    distribution = again.get_trial(trial._trial_id).distributions["x"]
    assert isinstance(distribution, CategoricalDistribution)
    assert [*map(repr, distribution.choices)] == [*map(repr, choices)]


def test_an_event_that_grows_too_large_is_refused_and_nothing_of_it_is_there(manager: ModelManager) -> None:
    study = studied(LedgerStorage(manager))

    with pytest.raises(Malformed, match="would take"):
        study.set_user_attr("large", "x" * 300_000)

    assert study.user_attrs == {}


def test_there_is_no_storage_over_http() -> None:
    with pytest.raises(Refused, match="name a home"):
        LedgerStorage("http://127.0.0.1:1")


def test_the_past_is_read_and_never_written(manager: ModelManager) -> None:
    storage = LedgerStorage(manager)
    study = studied(storage)
    end = manager.sql("SELECT max(seq) AS seq FROM events")["seq"][0].as_py()
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1), n_trials=2)

    then = LedgerStorage(manager.as_of(end))

    assert len(load_study(study_name="s", storage=then).trials) == 3
    with pytest.raises(ReadOnly):
        then.create_new_trial(study._study_id)


def test_who_may_not_do_everything_works_on_studies_of_their_models_alone(manager: ModelManager) -> None:
    study = studied(LedgerStorage(manager))
    manager._workspace.admit(CreateStudy(study="of credit", directions=("minimize",), model="credit"), None)
    bea = LedgerStorage(manager.acting("bea", Rights(frozenset({"read", "write"}), ("credit",))))

    assert [each.study_name for each in bea.get_all_studies()] == ["of credit"]
    assert bea.create_new_trial(bea.get_study_id_from_name("of credit"))
    with pytest.raises(KeyError):
        bea.delete_study(study._study_id)
    with pytest.raises(Forbidden):
        bea.create_new_study([StudyDirection.MINIMIZE])
    with pytest.raises(Forbidden):
        bea._admit(DeleteStudy(study="s", created=study._study_id))


def test_a_trial_that_is_not_heard_of_any_more_is_failed_once(storage: LedgerStorage) -> None:
    told: list[int] = []

    def stale(_: Study, trial: FrozenTrial) -> None:
        told.append(trial.number)

    manager = storage._manager
    beating = LedgerStorage(manager, heartbeat_interval=1, grace_period=60, heartbeat_stale_trial_callback=stale)
    study = create_study(storage=beating, study_name="beating")
    lost, alive, silent = (study.ask() for _ in range(3))
    for trial in (lost, alive):
        beating.record_heartbeat(trial._trial_id)
    events = manager.position()
    store = manager._home.store
    with store.database.connection() as connection:
        table = store.sql.beating.split()[4]
        connection.execute(f"UPDATE {table} SET heard = heard - 90000000 WHERE run = 'trial/{lost._trial_id}'", ())

    for _ in range(2):
        fail_stale_trials(study)

    states = [trial.state for trial in study.get_trials()]
    assert states == [TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING]
    assert silent.number == 2
    assert (told, manager.position()) == ([0], events + 1)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    again = pickle.loads(pickle.dumps(LedgerStorage(manager, heartbeat_interval=1)))
    assert again.get_heartbeat_interval() == 1
    for odd in (0, -1, 1.5, math.nan, "a", True):
        with pytest.raises(Malformed, match="a whole number above 0"):
            LedgerStorage(manager, heartbeat_interval=odd)  # type: ignore[arg-type]


def test_attributes_are_mappings_of_any_names(manager: ModelManager) -> None:
    study = create_study(storage=LedgerStorage(manager))

    study.set_user_attr("mixed", {1: 2, "b": [{None: 1, "c": 2}]})

    assert study.user_attrs == {"mixed": {"1": 2, "b": [{"null": 1, "c": 2}]}}
