"""An analytics service that follows every event of a ledger and keeps its position with what it counted.

It assigns the one partition by hand and stores the offset beside its result, so that it counts each event once however
often it is stopped. It stops at the topic's end, for it is an example.

    python count_versions.py localhost:9092 lepton.events counted.json
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


def told(value: bytes | None) -> dict[str, Any]:
    """What a record says; nothing where somebody else put it there."""
    try:
        event = json.loads(value or b"")
    except ValueError:
        return {}
    return event if isinstance(event, dict) and str(event.get("source")).startswith("/lepton/") else {}


async def main(servers: str, topic: str, file: str) -> None:
    path = Path(file)
    state = json.loads(path.read_text()) if path.exists() else {"seq": 0, "versions": {}}
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=None, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([partition])
    # the record of event n lies at offset n - 1 or behind it: what a relay sent twice pushes others back
    consumer.seek(partition, state["seq"])
    end = (await consumer.end_offsets([partition]))[partition]
    while await consumer.position(partition) < end:
        for message in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
            event = told(message.value)
            if event.get("sequence") != f"{state['seq'] + 1:020d}":
                continue  # sent twice, or no event of a ledger
            state["seq"] += 1
            if event["type"].startswith("lepton.version.committed."):
                model = event["subject"].removeprefix("model/")
                state["versions"][model] = state["versions"].get(model, 0) + 1
    await consumer.stop()
    path.with_suffix(".new").write_text(json.dumps(state))
    path.with_suffix(".new").replace(path)


asyncio.run(main(*sys.argv[1:]))
