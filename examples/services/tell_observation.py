"""A model server that tells Lepton what it saw in an hour, as plain JSON over aiokafka.

python tell_observation.py localhost:9092 lepton.inbox
"""

import asyncio
import json
import sys
from uuid import uuid4

from aiokafka import AIOKafkaProducer


async def main(servers: str, inbox: str) -> None:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/scoring/eu",
        "type": "lepton.observation.recorded.v1",
        "subject": "endpoint/scoring",
        "data": {
            "model": "credit",
            "version": 1,
            "since": "2026-01-31T11:00:00Z",
            "until": "2026-01-31T12:00:00Z",
            "rows": 1200,
            "metrics": {"latency_ms": 3.5, "positive_rate": 0.21},
        },
    }
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    await producer.send_and_wait(inbox, json.dumps(event).encode())
    await producer.stop()


asyncio.run(main(*sys.argv[1:]))
