"""The kept ledgers, unpacked where a test can work on them."""

from __future__ import annotations

import base64
import io
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaProducer

from lepton_ai.events.kafka.cluster import Cluster
from lepton_ai.events.kafka.topics import open_topics
from tests.servers import PostgreSQL

HOMES = Path(__file__).parent
FORMATS = {"88a614a": 1, "95e372b": 2}
"""The format of the ledgers that are kept, by the last commit that wrote it."""


def expected(of: str, what: str) -> dict[str, Any]:
    """What must hold of a kept home, database or topic."""
    return json.loads(lzma.decompress((HOMES / of / f"{what}.facts.xz").read_bytes()))


def home(of: str, to: Path) -> Path:
    """A home with everything in it."""
    return unpacked(HOMES / of / "home.tar.xz", to)


def objects(of: str, to: Path) -> str:
    """The objects of the kept database and topic, as LEPTON_OBJECTS names them."""
    return unpacked(HOMES / of / "objects.tar.xz", to).as_uri()


def unpacked(file: Path, to: Path) -> Path:
    """A packed folder's files."""
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(file.read_bytes()))) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and older have none
        tar.extractall(to)
    return to


def postgresql(of: str, server: PostgreSQL) -> str:
    """A new database of a running server with the kept schemas; returns its URL."""
    name = f"kept_{uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    sql = lzma.decompress((HOMES / of / "postgresql.sql.xz").read_bytes()).decode()
    with psycopg.connect(server.url(database=name), autocommit=True) as connection:
        connection.execute(sql)  # type: ignore[arg-type] # pyright: ignore
    return server.url(database=name)


def records(of: str) -> dict[str, list[Any]]:
    """Of each topic its records: partition, timestamp, key, value, headers."""
    return json.loads(lzma.decompress((HOMES / of / "topics.json.xz").read_bytes()))


async def produce(of: str, cluster: Cluster) -> None:
    """Put the kept records onto fresh topics, as they lay in theirs."""
    await open_topics(cluster)
    producer = AIOKafkaProducer(**cluster.client())
    await producer.start()
    for topic, found in records(of).items():
        for _, at, key, value, headers in found:
            told = [(name, coded(each)) for name, each in headers]
            place = {"key": coded(key), "headers": told, "timestamp_ms": at, "partition": 0}
            await producer.send(cluster.topic(topic), coded(value), **place)  # type: ignore[arg-type]
    await producer.stop()


def coded(value: Any) -> Any:
    """Bytes as they were: text, or a list with base64 in it."""
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else base64.b64decode(value[0])
