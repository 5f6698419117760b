"""The rights on the topics: generated, documented, and no role may say what another alone says."""

from __future__ import annotations

from pathlib import Path

from lepton_ai.domain.outside import ACCEPTED
from lepton_ai.events.kafka.acls import RIGHTS, commands, page
from lepton_ai.events.kafka.cluster import Cluster

PAGE = Path(__file__).parents[2] / "docs" / "kafka.md"


def test_the_page_has_the_rights_and_the_types_that_are_accepted() -> None:
    text = PAGE.read_text()

    assert text.endswith(page()), "write its end anew: python -m lepton_ai.events.kafka.acls"
    assert all(f"| `{kind}` | `{prefix}<name>` |" in text for kind, (_, prefix, _) in ACCEPTED.items())


def test_workers_write_results_others_the_inbox_and_the_relay_alone_the_rest() -> None:
    writes = {right.role: set(right.writes) for right in RIGHTS}

    assert writes["worker"] == {"results"}
    assert writes["service"] == {"inbox"}
    assert [role for role, topics in writes.items() if "heads" in topics] == ["projector"]
    alone = [role for role, topics in writes.items() if topics & {"events", "commands", "rejected"}]
    assert alone == ["relay"]
    assert [right.role for right in RIGHTS if right.makes] == ["relay"]


def test_a_ledger_of_another_name_has_rights_of_its_own() -> None:
    lines = commands(Cluster(("x:1",), ledger="risk", prefix="acme"), "svc-{role}")

    assert "--add --allow-principal User:svc-worker --operation Write" in " ".join(lines)
    assert {line.rpartition("--topic ")[2] for line in lines if "Write --operation Describe" in line} >= {
        "acme.risk.results",
        "acme.risk.inbox",
    }
