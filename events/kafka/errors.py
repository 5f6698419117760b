"""What Kafka's clients complain about, in Lepton's words."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (aiokafka is typed in parts)

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from ssl import SSLCertVerificationError, SSLError
from typing import Any, Final

from ...errors import LeptonError, Refused, Unavailable
from .cluster import Cluster
from .tls import CERTIFICATE

_ALERT: Final = re.compile("ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
"""How a server that minds a client's certificate, or that it has none, ends the connection."""
_SILENCE: Final = 1.0
"""Seconds in which a server that lets nobody in without a certificate says so."""


STOPPING: Final = 5.0
"""Seconds for a client to say good-bye; one that waits for a broker which is frozen is left where it is."""

log = logging.getLogger("lepton.kafka")


@asynccontextmanager
async def translated(
    cluster: Cluster, beyond: float = 0.0, *, left: tuple[type[Exception], ...] = ()
) -> AsyncGenerator[None]:
    """Kafka's errors in Lepton's words but for those `left`, and an end to each wait.

    `beyond` are seconds that the caller means to wait. A broker that is frozen takes connections and acknowledges
    bytes, and aiokafka asks it again for ever.
    """
    from aiokafka import errors

    try:
        async with asyncio.timeout(cluster.deadline + beyond):
            yield
    except (LeptonError, errors.IllegalArgumentError, errors.IllegalStateError, *left):  # two are bugs of ours
        raise
    except errors.KafkaConnectionError as error:
        raise await _reason(cluster) or _told(error, cluster) from error
    except (errors.KafkaError, OSError, TimeoutError) as error:
        raise _told(error, cluster) from error


async def stopped(client: Any) -> None:
    """Stop a client of aiokafka, or leave it where it hangs. What it raises then is what it died of before."""
    stopping = asyncio.ensure_future(client.close() if hasattr(client, "close") else client.stop())
    try:
        await asyncio.wait({stopping}, timeout=STOPPING)
    finally:
        if not stopping.done():
            stopping.cancel()
            sender: Any = getattr(getattr(client, "_sender", None), "sender_task", None)
            if sender is not None:
                sender.cancel()
    if stopping.done() and not stopping.cancelled() and (error := stopping.exception()) is not None:
        log.debug("a client of Kafka did not stop in good order: %r", error)


async def _reason(cluster: Cluster) -> Refused | None:
    """Why no server lets Lepton in, as far as they say so in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(cluster.deadline):
            return await _kept_out(cluster)
    return None


async def _kept_out(cluster: Cluster) -> Refused | None:
    """Why no server lets Lepton in, if that is why none is reached: aiokafka's clients write it to their log only."""
    from aiokafka.conn import create_conn
    from aiokafka.errors import KafkaError

    how = cluster.client()
    del how["bootstrap_servers"]
    for host, _, port in (server.rpartition(":") for server in cluster.servers if cluster.protocol != "PLAINTEXT"):
        try:
            (await create_conn(host.strip("[]"), int(port), **how)).close()
        except (KafkaError, OSError, TimeoutError) as error:
            told = _told(error, cluster)
            if isinstance(told, Refused) or (told := await _unwelcome(host, port, how["ssl_context"], cluster)):
                return told
    return None


async def _unwelcome(host: str, port: str, context: Any, cluster: Cluster) -> Refused | None:
    """Whether a server minds the client's certificate, which it says once it thinks that all is agreed.

    Listened for without a word: to who speaks meanwhile the connection is broken, for no reason that is always told.
    """
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(host.strip("[]"), int(port), ssl=context), _SILENCE
        )
        try:
            await asyncio.wait_for(reader.read(1), _SILENCE)
        finally:
            writer.close()
    except (OSError, TimeoutError) as error:
        told = _told(error, cluster)
        return told if isinstance(told, Refused) else None
    return None


def _told(error: Exception, cluster: Cluster) -> LeptonError:
    from aiokafka import errors

    name, kind = cluster.name, type(error).__name__
    match error:
        case errors.MessageSizeTooLargeError():
            return Refused(f"{name} takes no record that large; raise its message.max.bytes to 1 MiB")
        case errors.OffsetOutOfRangeError() | errors.NoOffsetForPartitionError():
            return Unavailable(f"{name} has no records there any more; it is looked what became of the topic")
        case errors.UnknownTopicOrPartitionError():
            return Unavailable(f"{name} has no such topic or partition now ({error}); `lepton relay` makes the topics")
        case errors.TopicAuthorizationFailedError() | errors.ClusterAuthorizationFailedError():
            return Refused(
                f"{name} does not let {_who(cluster)} do that ({error}); docs/kafka.md has the rights of each role"
            )
        case errors.SaslAuthenticationFailed():
            return Refused(f"{name} does not know user {cluster.user!r} by that password; look at LEPTON_KAFKA")
        case errors.UnsupportedSaslMechanismError() | errors.IllegalSaslStateError():
            return Refused(f"{name} takes no user by SCRAM-SHA-512 on that port; look at LEPTON_KAFKA")
        case SSLCertVerificationError():
            return Refused(
                f"{name} shows a certificate that is not trusted ({error.verify_message}); "
                "SSL_CERT_FILE names a file with whom to trust"
            )
        case SSLError() if _ALERT.search(error.reason or ""):
            if cluster.certificate is None:
                return Refused(f"{name} lets nobody in without a certificate; {CERTIFICATE} names one")
            return Refused(f"{name} does not trust the certificate {cluster.certificate.file}; look at {CERTIFICATE}")
        case _:
            return Unavailable(f"{name} does not answer ({kind}); try again when it does")


def _who(cluster: Cluster) -> str:
    if cluster.user is not None:
        return f"user {cluster.user!r}"
    if cluster.certificate is not None:
        return f"who shows the certificate {cluster.certificate.file}"
    return "a client without a name"
