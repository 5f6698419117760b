"""What the SDK's methods of judging take is in the requests of the routes that stand for them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from lepton_ai import ModelManager
from lepton_ai.evaluation import request
from lepton_ai.web.app import api

VERSION = "/api/v1/models/{model}/versions/{rev}"
REPORT, TEST = set(request.ReportOptions.__annotations__), set(request.TestOptions.__annotations__)
ROUTES: dict[str, tuple[str, str, set[str]]] = {
    "diff": ("get", "/api/v1/models/{model}/diff", set()),
    "compare": ("post", "/api/v1/models/{model}/compare", TEST),
    "pick": ("post", "/api/v1/models/{model}/pick", TEST),
    "evaluate": ("post", f"{VERSION}/evaluations", REPORT),
    "evaluate_predictions": ("post", f"{VERSION}/evaluations/predictions", REPORT),
    "predict": ("post", f"{VERSION}/predictions", set()),
    "report": ("get", f"{VERSION}/report", set()),
    "gate": ("post", f"{VERSION}/gates", REPORT | {"task", "types", "drop", "columns", "better"}),
    "calibrate": ("post", f"{VERSION}/calibrations", set()),
    "best_threshold": ("post", f"{VERSION}/thresholds", set()),
    "robustness": ("post", f"{VERSION}/robustness", set()),
    "suites": ("get", "/api/v1/suites", set()),
    "suite": ("get", "/api/v1/suites/{suite}", set()),
    "define_suite": ("put", "/api/v1/suites/{suite}", REPORT),
    "retire_suite": ("delete", "/api/v1/suites/{suite}", set()),
    "run_suite": ("post", "/api/v1/suites/{suite}/runs", set()),
    "data_sets": ("get", "/api/v1/data", set()),
    "data": ("get", "/api/v1/data/{name}", set()),
    "add_data": ("put", "/api/v1/data/{name}", set()),
    "load_data": ("get", "/api/v1/data/{name}/rows", set()),
    "drift": ("get", "/api/v1/data/{name}/drift", set()),
}
"""By method of the SDK its route, and what its `**options` take."""
CALLED: dict[str, dict[str, str]] = {
    "diff": {"a": "from", "b": "to"},
    "predict": {"data": "rows"},
    "add_data": {"data": "rows"},
    "drift": {"before": "name"},
    "run_suite": {"name": "suite", "rev": "version"},
    **{method: {"name": "suite"} for method in ("suite", "define_suite", "retire_suite")},
}
"""What a request calls differently."""
ELSEWHERE = {
    "self": "it is the ledger",
    "key": "it is the header Idempotency-Key",
    "progress": "a function cannot be sent",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return api(None).openapi()  # pyright: ignore[reportArgumentType] - no request is made


@pytest.mark.parametrize("method", ROUTES)
def test_every_option_of_the_sdk_is_reachable(document: dict[str, Any], method: str) -> None:
    verb, path, options = ROUTES[method]
    signature = inspect.signature(getattr(ModelManager, method)).parameters.values()
    wanted = {each.name for each in signature if each.kind is not each.VAR_KEYWORD} | options
    route = document["paths"][path][verb]
    taken = {each.get("name") for each in route.get("parameters", ())}
    if body := route.get("requestBody"):
        name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][name]["additionalProperties"] is False
        taken |= {*document["components"]["schemas"][name]["properties"]}

    called = CALLED.get(method, {})
    lacking = {called.get(each, each) for each in wanted - {*ELSEWHERE}} - taken
    assert not lacking
