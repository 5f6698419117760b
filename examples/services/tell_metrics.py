"""A service that tells Lepton how version 1 of `credit` did, with the cloudevents package in binary mode.

python tell_metrics.py localhost:9092 lepton.inbox
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings.kafka import to_binary_event
from cloudevents.core.v1.event import CloudEvent


async def main(servers: str, inbox: str) -> None:
    event = CloudEvent(
        attributes={
            "type": "lepton.evaluation.recorded.v1",
            "source": "/risk/backtest",
            "subject": "model/credit",
        },
        data={"version": 1, "data": {"digest": "blake3:" + "0" * 64, "rows": 300}, "metrics": {"ks": 0.41}},
    )
    message = to_binary_event(event)
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    await producer.send_and_wait(inbox, message.value, headers=list(message.headers.items()))
    await producer.stop()


asyncio.run(main(*sys.argv[1:]))
