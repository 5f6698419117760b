"""What the commands do and show, on a real ledger."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from lepton_ai import ModelManager
from lepton_ai.cli.command import LOG, Session
from lepton_ai.domain.commands import AnyCommand, RecordEvaluation, Stored
from lepton_ai.domain.job.commands import (
    AssignJob,
    CancelJob,
    CheckpointJob,
    ExpireLease,
    FailJob,
    FinishJob,
    Ready,
    StartJob,
)

from ..cli_home import JOB, Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

DATE = re.compile(r"\d{4}-\d\d-\d\d")


def shown(text: str) -> list[str]:
    """Lines without their times."""
    return [
        " ".join(word for word in line.split() if not DATE.match(word) and word[2:3] != ":")
        for line in text.splitlines()
    ]


def figures_off(lines: list[str]) -> list[str]:
    return [line.partition("  f1")[0].partition(" f1 ")[0] for line in lines]


def test_the_graph_shows_branches_merges_tags_aliases_and_rollbacks(cli: Cli) -> None:
    drawn = figures_off(shown(cli("log --graph").out))

    assert drawn == [
        "5→2 bob alias production rolled back: alerts",
        "* 7 ada careful retry (main)",
        "| 6→5 bob main rolled back: worse in production",
        "| * 6 ada slow steps",
        "|/",
        "| 2→5 bob alias production moved: promoted",
        "* 5 bob take the faster steps in",
        "|\\",
        "* | 4 ada 全量数据重新训练",
        "| * 3 bob faster steps (risk)",
        "|/",
        "| →2 ada branch risk opened",
        "| →2 ada alias production set: good enough",
        "* 2 ada lower dropout (alias production, tag v1.0)",
        "* 1 ada first fit",
    ]


def test_columns_of_the_log_align_under_wide_characters(cli: Cli) -> None:
    found = [DATE.search(line) for line in cli("log").out.splitlines()]
    starts = {each.start() if each else None for each in found}

    assert len(starts) == 1
    assert starts != {None}


def test_a_range_shows_what_its_end_has_and_its_start_has_not(cli: Cli) -> None:
    entries = cli("log risk..credit@6 --json").json["entries"]

    assert [entry["version"] for entry in entries] == [6, 5, 4]


def test_the_log_stops_after_n_entries(cli: Cli) -> None:
    assert len(cli("log -n 3").out.splitlines()) == 3
    assert cli("log -n 2 --json").json["entries"] == cli("log --json").json["entries"][:2]


def test_show_has_all_that_the_sdk_has(cli: Cli) -> None:
    with ModelManager(cli.home) as manager:
        record = manager.show("credit@4")
    text = cli("show 4").out

    assert cli("show 4 --json").json == json.loads(json.dumps(record.to_dict())) | {"version": record.version.to_dict()}
    assert record.version.digest in text
    assert "ticket  RISK-12" in text
    assert all(tensor["name"] in text for tensor in record.tensors)


def test_diff_shows_differences_and_nothing_else(cli: Cli) -> None:
    text = cli("diff 1 2").out

    assert text.startswith("credit 1 → 2\n")
    assert "dropout_rate  0.2  → 0.1  -0.1" in text
    assert "learning_rate" not in text
    assert cli("diff 1..2").out == text
    assert cli("diff 2 2").out == "credit 2 → 2\nnothing differs\n"


def test_versions_are_ranked_by_the_metric_that_is_asked_for(cli: Cli) -> None:
    ranked = cli("compare 1 4 7 --metric accuracy --json").json

    figures = [each["metrics"]["accuracy"] for each in ranked["versions"]]
    assert figures == sorted(figures, reverse=True)
    assert [int(line.split()[0]) for line in cli("compare 1 4 7 --metric accuracy").out.splitlines()[2:5]] == [
        each["version"]["version"] for each in ranked["versions"]
    ]


def test_find_names_the_versions_for_which_all_of_it_holds(cli: Cli) -> None:
    assert [each["version"] for each in cli("find \"note.ticket = 'RISK-12'\" --json").json["versions"]] == [4]
    assert cli("find 'metric.f1 > 2'").out == "no version is so\n"


def test_a_branch_opens_lists_and_goes(cli: Cli) -> None:
    assert cli("branch hotfix production").out == "branch hotfix opened at version 2 of credit\n"
    assert [line.split()[:2] for line in cli("branch").out.splitlines()[1:]] == [
        ["hotfix", "2"],
        ["main", "7"],
        ["risk", "3"],
    ]
    assert cli("branch -d hotfix").out == "branch hotfix is given up; its versions stay\n"
    assert set(cli("branch --json").json["branches"]) == {"main", "risk"}


def test_a_tag_is_bound_and_given_up(cli: Cli) -> None:
    assert cli("tag v2.0").out == "tag v2.0 bound to version 7 of credit\n"
    assert cli("tag -d v1.0").code == 0
    assert cli("tag --json").json["tags"].keys() == {"v2.0"}


def test_an_alias_moves_only_from_where_it_is_expected(cli: Cli) -> None:
    assert cli("alias production main --expect 5").code == 1
    assert cli("alias production main --expect 2 --reason go").out == "alias production stands on version 7 of credit\n"
    assert cli("alias staging 4 --expect 0").code == 0
    assert cli("log -n 2 --json").json["entries"][1]["message"] == "go"


def test_a_rollback_shows_its_plan_and_then_what_it_did(cli: Cli) -> None:
    ended = cli("rollback 4 --reason 'as it was' --yes")

    lines = shown(ended.out)
    assert lines[0] == "main of credit: 7 → 4"
    assert lines[1] == "leaves 7, 5, 3"
    assert lines[-1].startswith("main of credit rolled back 7 → 4, restored and verified by")
    entry = cli("log -n 1 --json").json["entries"][0]
    assert (entry["kind"], entry["ref"], entry["from_version"], entry["version"]) == (
        "rolled_back",
        "branch main",
        7,
        4,
    )
    assert (entry["actor"], entry["message"], entry["seq"]) == ("ada", "as it was", cli.end())


def test_versions_are_compared_by_test_on_rows_that_are_given(cli: Cli) -> None:
    before = cli.end()
    asked = "compare 1 3 --data loans.csv --label default --metric roc_auc --against 7"
    told = cli(f"{asked} --json").json

    assert [(each["against"], each["test"]["test"]) for each in told["tests"]] == [(7, "DeLong")] * 2
    assert {each["verdict"] for each in told["tests"]} <= {"better", "worse", "not known"}
    shown = cli(asked).out
    assert "against version 7 by roc_auc" in shown
    assert "DeLong" in shown
    assert "for tests give labelled rows" in cli("compare 1 3").out
    assert "nobody said what the labels of the rows are" in cli("compare 1 3 --data loans.csv").err
    grouped = cli("compare 1 3 --data loans.csv --label default --groups kind")
    assert (grouped.code, "a row has no group; name one for every row" in grouped.err) == (1, True)
    assert cli.end() == before


def test_a_version_is_picked_and_it_says_why(cli: Cli) -> None:
    on = "--data loans.csv --label default"
    told = cli(f"pick 1 3 7 --by accuracy --require 'accuracy > 0.5' {on} --json").json

    assert (told["rule"], told["picked"]) in {("equal", 1), ("best", told["picked"])}
    assert {each["test"]["test"] for each in told["tests"]} == {"McNemar"}
    assert cli(f"pick 1 3 7 --by accuracy,size --in-order {on}").out.startswith("version ")
    nothing = cli("pick --by size --require 'size < 1'")
    assert (nothing.code, "no version of credit meets what is required" in nothing.out) == (4, True)
    assert "no version of credit meets what is required; version 1: size < 1 (" in nothing.err


def test_a_dry_run_shows_the_plan_and_changes_nothing(cli: Cli) -> None:
    before = cli.end()
    planned = cli("rollback 2 --dry-run --rehearse loans.csv --label default --json").json

    assert planned["plan"]["rehearsal"]["metric"] == "f1"
    assert "rehearsed on versions 7 and 2: f1 " in cli("rollback 2 --dry-run --rehearse loans.csv --label default").out
    assert planned["done"] is None
    assert (planned["plan"]["from_version"], planned["plan"]["to_version"]) == (7, 2)
    assert cli.end() == before


def test_the_deltas_that_a_rollback_replayed_are_told(cli: Cli) -> None:
    told = cli("rollback 6 --yes --json").json

    assert len(told["done"]["replayed"]) == told["plan"]["deltas"]
    assert told["done"]["moved"]


def test_a_rollback_takes_along_the_aliases_that_are_named(cli: Cli) -> None:
    cli("alias production main")
    assert "alias production  stays on 7 (--move-alias production takes it along)" in cli("rollback 5 --dry-run").out
    ended = cli("rollback 5 --move-alias production --yes")

    assert shown(ended.out)[-2].startswith("main of credit rolled back 7 → 5, restored")
    assert shown(ended.out)[-1].startswith("alias production of credit rolled back 7 → 5, restored")
    assert cli("alias --json").json["aliases"]["production"]["version"] == 5


def test_where_the_branch_stands_already_the_alias_alone_moves(cli: Cli) -> None:
    ended = cli("rollback 7 --move-alias production --rehearse loans.csv --label default --reason go --yes")

    lines = shown(ended.out)
    assert lines[:3] == ["main of credit: 7 → 7", "it stands there already", "alias production 2 → 7"]
    assert lines[3].startswith("rehearsed on versions 2 and 7: f1 ")
    assert lines[4].startswith("it is not known whether version 7 is worse (p ")
    assert lines[5].startswith("alias production of credit rolled back 2 → 7, restored and verified by")
    assert len(lines) == 6


def test_an_alias_goes_back_to_where_it_stood(cli: Cli) -> None:
    assert "alias production of credit rolled back 2 → 5" in cli("rollback --alias production --yes").out
    assert cli("rollback --alias production 5 --yes").out.endswith(
        "nothing moved: alias production stands on version 5\n"
    )


def test_a_rehearsal_that_goes_worse_is_a_gate_unless_there_is_a_reason(cli: Cli) -> None:
    with ModelManager(cli.home) as manager:  # rows of which version 7 knows every label
        known = manager.predict("credit@7", "loans.csv", keep=["income", "debt", "kind"]).to_pylist()
    lines = [f"{row['income']},{row['debt']},{row['kind'] or ''},{row['prediction']}" for row in known]
    Path("seven.csv").write_text("\n".join(["income,debt,kind,default", *lines * 5, ""]))
    ended = cli("rollback 6 --rehearse seven.csv --label default --yes")

    assert ended.code == 4
    assert "worse beyond chance (p " in ended.err
    assert "give a --reason to roll back all the same" in ended.err
    assert cli("branch --json").json["branches"]["main"]["version"] == 7
    dry = cli("rollback 6 --rehearse seven.csv --label default --dry-run --json")
    assert (dry.code, dry.json["plan"]["rehearsal"]["worse"], dry.json["done"]) == (4, True, None)
    assert "version 6 does worse than version 7 by f1 (beyond chance, p " in dry.err
    assert "give a --reason" in dry.err
    assert cli("rollback 6 --rehearse seven.csv --label default --dry-run --reason audit").code == 0
    assert cli("rollback 6 --rehearse seven.csv --label default --reason audit --yes").code == 0


def test_a_merge_is_a_version_with_two_parents(cli: Cli) -> None:
    assert cli("merge 6 --strategy theirs -m back").out == "version 8 of credit merges 7 and 6 into main\n"
    assert cli("merge 6").out == "version 8 of credit holds that already, and is the head of main\n"


def test_notes_are_typed_and_an_empty_one_is_taken_off(cli: Cli) -> None:
    cli("annotate 4 ticket= reviewed=true score=0.5 who='risk team' number='\"12\"'")

    notes = cli("show 4 --json").json["annotations"]
    assert notes == {"reviewed": True, "score": 0.5, "who": "risk team", "number": "12"}


def test_what_is_described_shows(cli: Cli) -> None:
    cli(["describe", "credit", "who may have a loan"])
    cli(["describe", "credit@4", "the one that the board saw"])

    assert cli("models").out.splitlines()[1].endswith("who may have a loan")
    assert cli("show 4 --json").json["description"] == "the one that the board saw"


def test_an_archived_model_is_out_of_the_list_and_closed_until_it_is_opened(cli: Cli) -> None:
    cli("archive --reason old")

    assert cli("models --json").json["models"] == []
    assert cli("models").out == "and 1 archived model; --all shows them\n"
    assert cli("rollback 2 --yes").code == 1
    assert cli("unarchive credit").out == "model credit is open\n"
    assert cli("rollback 2 --yes").code == 0


def test_training_keeps_a_version_by_itself(cli: Cli) -> None:
    ended = cli(
        "train credit-scoring-model loans.csv --label default --name other -m new --set epochs=2 --set members=1"
    )

    assert ended.out.startswith("version 1 of other on main\n")
    record = cli("show other@1 --json").json
    assert (record["hyperparameters"]["epochs"], record["message"], record["data"]["rows"]) == (2, "new", 120)


def test_the_same_rows_as_parquet_train_the_same_version(cli: Cli) -> None:
    from pyarrow import csv

    rows = csv.read_csv("loans.csv", convert_options=csv.ConvertOptions(strings_can_be_null=True))
    pyarrow.parquet.write_table(rows, "loans.parquet")
    words = "credit-scoring-model {} --label default --name other --set epochs=2 --set members=1 --json"
    one, two = (cli(f"train {words.format(file)}").json["version"] for file in ("loans.csv", "loans.parquet"))

    assert one == two


def test_an_evaluation_is_shown_and_recorded(cli: Cli) -> None:
    ended = cli("evaluate 4 loans.csv --label default --name validation")

    assert ended.out.startswith("version 4 of credit: precision ")
    assert cli("evaluate 4 loans.csv --label default", LEPTON_LANG="zh").out.startswith("credit 的版本 4：精度")
    told = cli('sql "select distinct name from evaluations" --json').json["rows"]
    assert {"name": "validation"} in told


def test_sql_answers_as_a_table_csv_json_parquet_and_as_of_then(cli: Cli) -> None:
    query = "select version, branch from versions where version < 4 order by version"

    assert cli(["sql", query]).out == "version  branch\n      1  main\n      2  main\n      3  risk\n"
    assert cli(["sql", query, "--format", "csv"]).out == "version,branch\n1,main\n2,main\n3,risk\n"
    assert json.loads(cli(["sql", query, "--format", "json"]).out)[2] == {"version": 3, "branch": "risk"}
    assert cli(["sql", query, "--format", "parquet", "-o", "v.parquet"]).out == "3 rows in v.parquet\n"
    assert pyarrow.parquet.read_table("v.parquet")["version"].to_pylist() == [1, 2, 3]
    first = cli("log --json").json["entries"][-1]["seq"]
    assert cli(["sql", query, "--as-of", str(first)]).out == "version  branch\n      1  main\n"
    assert cli(["sql", query, "--as-of", "2020-01-01"]).out == (
        "version  branch\nno rows\nas of before the first event\n"
    )
    assert cli(["sql", query, "--as-of", "2020-01-01T09:00:00Z", "--json"]).json["count"] == 0


def test_a_long_table_says_how_much_it_leaves_out(cli: Cli) -> None:
    out = cli("sql 'select * from range(300)'").out

    assert out.splitlines()[-1] == "and 100 rows more; --format csv shows all"


def test_events_are_shown_after_a_place_and_of_a_stream(cli: Cli) -> None:
    told = cli("events --after 3 --stream model/credit --json").json["events"]

    assert all(int(event["sequence"]) > 3 and event["subject"] == "model/credit" for event in told)
    assert "version.committed" in cli("events").out


def test_what_a_forgotten_person_wrote_is_gone_and_the_ledger_still_whole(cli: Cli) -> None:
    assert "faster steps" in cli("log").out
    assert cli("forget bob --yes").out == "bob is forgotten\n"

    assert "faster steps" not in cli("log").out
    assert "[forgotten]" in cli("log").out
    assert cli("verify").code == 0


@pytest.mark.parametrize(
    "call",
    [
        "branch kept 3",
        "branch -d risk",
        "tag kept 3",
        "alias staging 3 --reason why",
        "annotate 7 ticket=RISK-13",
        "describe 7 words",
        "archive --reason why",
        "merge 6 --message m",
        "evaluate 7 loans.csv --label default",
        "train credit-scoring-model loans.csv --label default --set epochs=1 -m again",
    ],
)
def test_a_call_that_is_sent_again_under_its_key_happens_once(cli: Cli, call: str) -> None:
    before = cli.end()
    first = cli(f"{call} --json --key night-1").json
    happened = cli.end()
    second = cli(f"{call} --json --key night-1").json

    assert cli.end() == happened > before
    assert second == first


def test_options_of_all_commands_stand_before_or_after_the_name(cli: Cli, tmp_path: Path) -> None:
    with ModelManager(tmp_path / "other", actor="eve") as manager:
        manager.save_version({"w": np.arange(4.0)}, name="toy")
    other = str(tmp_path / "other")

    assert cli(["--home", other, "models", "--json"]).json == cli(["models", "--json", "--home", other]).json
    cli(["--actor", "mallory", "branch", "one", "--home", other])
    cli(["branch", "two", "--actor", "eve", "--home", other])
    assert [entry["actor"] for entry in cli(["log", "--json", "--home", other]).json["entries"]][:2] == [
        "eve",
        "mallory",
    ]


def test_of_several_models_one_is_named(cli: Cli) -> None:
    with ModelManager(cli.home) as manager:
        manager.save_version({"w": np.arange(4.0)}, name="toy")

    assert cli("branch risky 3 --model credit").code == 0
    assert cli("branch --model toy --json").json["branches"].keys() == {"main"}
    assert cli("rollback 2 --model credit --yes").code == 0
    assert cli("log --model toy").code == cli("log toy").code == 0
    assert cli("diff credit@1 toy@1").out.splitlines()[0] == "credit 1 → toy 1"


@pytest.mark.parametrize("doors", [("parts", "manager"), ("manager", "parts")])
def test_what_is_logged_keeps_its_form_whichever_door_is_opened_first(
    cli: Cli, doors: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPTON_LOG", "json")
    told = StringIO()
    session = Session(str(cli.home), "ada", as_json=False, logged=logging.StreamHandler(told))
    for door in doors:
        getattr(session, door)
    LOG.warning("the broker is away")
    session.close()

    (line,) = told.getvalue().splitlines()
    assert json.loads(line)["message"] == "the broker is away"


ATTEMPT: dict[str, Any] = {"job": JOB, "epoch": 1}
JUDGED = RecordEvaluation(model="credit", version=1, data={}, metrics={"f1": 1})
AGAIN: dict[str, Any] = {"now": datetime.now(UTC), "pause": 5.0}


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (FinishJob(**ATTEMPT, made=JUDGED), "finished"),
        (FailJob(**ATTEMPT, error="Odd", again=False, **AGAIN), "failed"),
        (FailJob(**ATTEMPT, error="Odd", again=True, **AGAIN), "requeued"),
        (ExpireLease(**ATTEMPT, **AGAIN), "requeued"),
        (CancelJob(**ATTEMPT), "cancelled"),
    ],
)
def test_a_jobs_story_tells_each_thing_once_and_has_all_events_as_json(cli: Cli, end: AnyCommand, told: str) -> None:
    worker = Ready("w1", "night", frozenset({"train"}), 1)
    with ModelManager(cli.home) as manager:
        for command in (
            AssignJob(job=JOB, ready=(worker,), now=AGAIN["now"], within=30.0),
            StartJob(**ATTEMPT, tells_run=True),
            CheckpointJob(**ATTEMPT, step=3, tensors=f"blake3:{'0' * 64}", stored=Stored()),
            end,
        ):
            manager._workspace.admit(command, None)

    _, *lines = shown(cli(f"logs {JOB}").out)

    assert [line.split()[0] for line in lines] == ["submitted", "assigned", "started", "checkpointed", told]
    types = [event["type"] for event in cli(f"logs {JOB} --json").json["events"]]
    assert {"lepton.run.started.v1", "lepton.run.checkpointed.v1", "lepton.run.finished.v1"} < set(types)


def test_damage_is_listed_and_exits_with_five(cli: Cli) -> None:
    pack = max(
        (path for path in (cli.home / "objects").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    content = bytearray(pack.read_bytes())
    content[len(content) // 3] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(content)

    ended = cli("fsck --objects")
    assert ended.code == 5
    assert "damaged" in ended.out
    assert cli("fsck --objects --json").json["damaged"]
    assert cli("fsck --events").out == "whole: nothing is damaged\n"
