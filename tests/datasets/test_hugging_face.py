"""A `datasets.Dataset` of Hugging Face is a table: trained on, judged and predicted as the same rows held otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, sys
import datasets, numpy as np
from lepton_ai import LeptonError, ModelManager
from lepton_ai.datasets.tables import fingerprint
from lepton_ai.models import CreditScoringModel

rng = np.random.default_rng(3)
kinds = [None if n % 9 == 0 else "ab"[n % 2] for n in range(80)]
rows = {"n": rng.normal(size=80).tolist(), "kind": kinds, "paid": [n % 3 == 0 for n in range(80)]}
bad = [int(n > 0) for n in rows["n"]]
features = datasets.Features({
    "n": datasets.Value("float64"), "kind": datasets.Value("string"), "paid": datasets.Value("bool"),
    "bad": datasets.ClassLabel(names=["no", "yes"]),
})
whole = datasets.Dataset.from_dict(rows | {"bad": bad}, features=features)

def parts(table):
    return table.remove_columns("bad"), table["bad"]

same = fingerprint(rows, bad)
assert fingerprint(*parts(whole)) == same, "a dataset"
assert fingerprint(*parts(whole.with_format("torch"))) == same, "one that gives tensors"
assert fingerprint(*parts(whole.with_format("pandas"))) == same, "one that gives frames"
mixed = whole.shuffle(seed=1)
order = mixed.to_pandas()
assert fingerprint(*parts(mixed)) == fingerprint(order[["n", "kind", "paid"]], order["bad"]), "rows in another order"
assert fingerprint(*parts(mixed))["digest"] != same["digest"]
some = whole.select(range(5, 25))
few = {name: each[5:25] for name, each in rows.items()}
assert fingerprint(*parts(some)) == fingerprint(few, bad[5:25]), "some rows"
assert fingerprint(*parts(datasets.concatenate_datasets([some, mixed])))["rows"] == 100
assert fingerprint(whole.remove_columns("bad"), whole.select_columns("bad")) == same, "labels as a table"

model = CreditScoringModel()
for name, value in {"epochs": 3, "members": 1, "hidden": [4]}.items():
    model.add_hyperparameter(name, value)
with ModelManager(sys.argv[1], actor="ada") as manager:
    manager.train(model, *parts(whole), validation=parts(some), name="net")
    judged = manager.evaluate("net@1", *parts(whole), name="whole").performance
    assert judged == manager.evaluate("net@1", rows, bad, name="whole").performance
    assert len({event["data"]["data"]["digest"] for event in manager.events() if "evaluation" in event["type"]}) == 1
    assert (model.predict(whole.remove_columns("bad")) == model.predict(rows)).all()

def refusal(data):
    try:
        fingerprint(data)
    except LeptonError as error:
        return str(error)

print(refusal(datasets.DatasetDict({"train": whole, "test": some})))
print(refusal(whole.to_iterable_dataset()))
print(refusal(datasets.Dataset.from_dict({"a": [[1, 2], [3]]})))
print(refusal(whole.filter(lambda row: False, keep_in_memory=True)))
"""
REFUSALS = [
    "the data has several parts (train, test); give one of them",
    "an IterableDataset is a stream of rows; give one that has all of them",
    "the arrays of column 'a' have 1 to 2 numbers; give one length",
    "the data has no rows or no columns; give at least one of each",
]


def test_a_dataset_of_hugging_face_is_read_as_the_same_rows_held_otherwise(home: Path, tmp_path: Path) -> None:
    """In a process whose path begins elsewhere: Lepton's own folder of that name would be found first here."""
    ended = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", PROGRAM, str(home)],
        cwd=tmp_path, capture_output=True, text=True, env={"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip

    assert (ended.returncode, ended.stdout.splitlines()) == (0, REFUSALS), ended.stderr[-2000:]
