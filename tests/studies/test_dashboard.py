"""Optuna's dashboard and its plots on studies of a ledger, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from optuna.importance import get_param_importances
from optuna.study import Study, create_study
from optuna_dashboard import wsgi

from lepton_ai import ModelManager
from lepton_ai.optuna import LedgerStorage


class Silent(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with ModelManager(tmp_path_factory.mktemp("dashboard") / "home") as manager:
        study = create_study(storage=LedgerStorage(manager), study_name="depth and rate", direction="maximize")

        def objective(trial: Any) -> float:
            return -((trial.suggest_float("rate", 0.1, 1.0) - 0.5) ** 2) - 0.01 * trial.suggest_int("depth", 1, 9)

        study.optimize(objective, n_trials=12)
        yield study


@pytest.fixture
def dashboard(study: Study) -> Iterator[str]:
    with make_server("127.0.0.1", 0, wsgi(study._storage), handler_class=Silent) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_dashboard_opens_on_a_study_of_the_ledger(study: Study, dashboard: str, browser: Any) -> None:
    page = browser.new_context().new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    page.goto(f"{dashboard}/dashboard/")
    page.get_by_text("depth and rate").first.wait_for()
    page.goto(f"{dashboard}/dashboard/studies/{study._study_id}")
    page.get_by_text("Best Trial").first.wait_for()

    shown = f"number={study.best_trial.number}"
    page.wait_for_function("shown => document.body.innerHTML.includes(shown)", arg=shown)
    assert faults == []
    page.close()


def test_the_importance_of_what_was_tried_is_told(study: Study) -> None:
    assert set(get_param_importances(study)) == {"rate", "depth"}
