"""An analytics service that follows every event of a ledger and keeps its position with what it counted.

It assigns the one partition by hand and stores the offset beside its result, so that it counts each event once however
often it is stopped. It stops at the topic's end, for it is an example.

    python count_versions.py localhost:9092 lepton.events counted.json
"""

import asyncio
import json
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition


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
            event = json.loads(message.value)
            if int(event["sequence"]) != state["seq"] + 1:
                continue  # sent twice
            state["seq"] += 1
            if event["type"] == "lepton.version.committed.v1":
                model = event["subject"].removeprefix("model/")
                state["versions"][model] = state["versions"].get(model, 0) + 1
    await consumer.stop()
    path.with_suffix(".new").write_text(json.dumps(state))
    path.with_suffix(".new").replace(path)


asyncio.run(main(*sys.argv[1:]))
