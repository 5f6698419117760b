"""A service that trained a version of `credit` elsewhere and offers its file, which a worker of Lepton looks at.

python offer_version.py localhost:9092 lepton.inbox model.safetensors
"""

import asyncio
import hashlib
import json
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer


async def main(servers: str, inbox: str, file: str) -> None:
    path = Path(file).absolute()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    event = {
        "specversion": "1.0",
        "id": digest,  # offered again, it is the same offer
        "source": "/lab/training",
        "type": "lepton.version.offered.v1",
        "subject": "model/credit",
        "data": {
            "source": path.as_uri(),
            "digest": f"sha256:{digest}",
            "hyperparameters": {"learning_rate": 0.01},
            "metrics": {"f1": 0.81},
            "message": "trained in the lab",
        },
    }
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    await producer.send_and_wait(inbox, json.dumps(event).encode())
    await producer.stop()


asyncio.run(main(*sys.argv[1:]))
