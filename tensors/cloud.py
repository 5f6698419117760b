"""A store of objects in a bucket of S3, Google Cloud Storage or Azure; the only module that names `obstore`."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import obstore
from blake3 import blake3
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from ..errors import Damaged, LeptonError, Refused, Unavailable
from .digest import named
from .objects import check_key
from .sent import SentObject

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

PART = 8 << 20  # what a request carries: S3 takes 5 MiB at least, and a slow line must carry it before the time is up
PARTS = 10_000  # S3 and Google take no more of them for one object
_AT_ONCE = 2
_CLAIMS = ".lepton-claims"  # no key begins with a dot, so a claim is never taken for an object
_CLOUDS = {"s3": ("AWS", S3Store), "gs": ("GOOGLE", GCSStore), "az": ("AZURE", AzureStore)}

Bucket = S3Store | GCSStore | AzureStore


class CloudStore:
    """Objects below a prefix of a bucket.

    What was written is asked for before it counts as written: its size, and its ETag where that is a digest of the
    bytes; else it is read back.

    An object of one part is written by one request on the condition that none stands there. A larger one is written
    in parts, whose completion `obstore` cannot make conditional, though S3 could. So its writer first claims the key
    by a small object, written on that condition; then looks whether the key is taken; and lets go of the claim when
    all is done. Of two writers one gets the claim. Against a small and a large object racing for one key, and against
    stores that ignore the condition, only the keys themselves protect: they are random and never given twice.
    """

    block = 16 << 20

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        _refuse_fork()

    def put(self, key: str, pieces: Iterable[bytes]) -> int:
        check_key(key)
        remaining = iter(pieces)
        first = bytearray()
        for piece in remaining:
            first += piece
            if len(first) > PART:
                sent = SentObject(PART)
                with self._claimed(key):
                    self._write_parts(key, sent.passing(chain((bytes(first),), remaining)))
                return self._arrived(key, sent)
        sent = SentObject()
        sent.add(bytes(first))
        self._create(key, key, bytes(first))
        return self._arrived(key, sent)

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        check_key(key)
        wanted = max(self.size(key) - offset, 0) if length is None else length
        data = b"".join(self._read(key, offset, wanted))
        if len(data) != wanted:
            raise Damaged(f"pack {key}", expected=f"{wanted} bytes from {offset}", found=f"{len(data)}")
        return data

    def read_into(self, key: str, offset: int, into: memoryview) -> None:
        into[:] = self.get(key, offset, len(into))

    def size(self, key: str) -> int:
        check_key(key)
        with self._reading(key):
            return obstore.head(self._bucket, key)["size"]

    def stamp(self, key: str) -> None:
        """Not known: a request for each pack of a save would take longer than reading a small one."""

    def foreign(self, key: str, name: str) -> tuple[int, Iterator[bytes]] | None:
        """Bytes of an object that somebody else put there, under any key, and these in pieces; None where none is.

        It is told of as `name`: where it lies is nobody's business.
        """
        with _translated(name):
            try:
                size = obstore.head(self._bucket, key)["size"]
            except FileNotFoundError:
                next(iter(obstore.list(self._bucket, chunk_size=1)), None)  # as in `_reading`
                return None
        return size, self._pieces(key, name, size)

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key in self._keys(prefix) if not key.startswith(f"{_CLAIMS}/"))

    def leftovers(self) -> list[str]:
        """The claims of writers that never ended; safe to remove once no writer is at work.

        Their parts are not among them: no list shows these, and a rule of the bucket should expire them.
        """
        return list(self._keys(f"{_CLAIMS}/"))

    def delete(self, key: str) -> None:
        check_key(key)
        self._remove(key)

    def _arrived(self, key: str, sent: SentObject) -> int:
        """The bytes of an object, once its store has said that it holds what was sent.

        What stands there otherwise was acknowledged and never arrived, or not whole: it is removed, `Unavailable`.
        """
        with _translated(f"object {key}"):
            try:
                found = obstore.head(self._bucket, key)
            except FileNotFoundError:
                found = None
        if found is not None and found["size"] == sent.size:
            etag = (found.get("e_tag") or "").strip('"')
            if etag == sent.etag or self._read_back(key, sent.size) == sent.digest:
                return sent.size
        self._let_go(key)
        raise Unavailable(
            f"object {key} did not arrive as it was sent, though the store acknowledged it; see to what lies between "
            "here and the bucket, then try again"
        )

    def _read_back(self, key: str, size: int) -> str:
        """The digest of an object's bytes."""
        hasher = blake3()
        for piece in self._read(key, 0, size):
            hasher.update(piece)
        return named(hasher)

    def _create(self, key: str, place: str, data: bytes) -> None:
        """Write an object where none is."""
        writer = secrets.token_hex(16)
        with _translated(f"object {key}"):
            try:
                obstore.put(self._bucket, place, data, mode="create", attributes={"writer": writer})
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                # A request whose answer was lost is sent again, and then meets its own work.
                if self._writer(place) != writer:
                    raise _taken(key) from None

    def _writer(self, place: str) -> str | None:
        with suppress(FileNotFoundError):
            return obstore.get(self._bucket, place, options={"head": True}).attributes.get("writer")
        return None

    @contextmanager
    def _claimed(self, key: str) -> Generator[None]:
        claim = f"{_CLAIMS}/{key}"
        self._create(key, claim, b"")
        try:
            with _translated(f"object {key}"), suppress(FileNotFoundError):
                obstore.head(self._bucket, key)
                raise _taken(key)
            yield
        except Unavailable:  # to ask for more would only make the caller wait longer; the claim is a leftover
            raise
        except BaseException:
            self._let_go(claim)
            raise
        self._let_go(claim)

    def _let_go(self, claim: str) -> None:
        with suppress(LeptonError):
            self._remove(claim)

    def _write_parts(self, key: str, pieces: Iterable[bytes]) -> int:
        """Pieces are drawn here and not by `obstore`, within which they could not read from a store."""
        written = 0
        writer = obstore.open_writer(self._bucket, key, buffer_size=PART, max_concurrency=_AT_ONCE)
        try:
            for piece in pieces:
                written += len(piece)
                if written > PART * PARTS:
                    raise Refused(
                        f"object {key} has more than {PARTS} parts, which no bucket takes; save it as several"
                    )
                with _translated(f"object {key}"):
                    writer.write(piece)
            with _translated(f"object {key}"):
                writer.close()
        except BaseException as error:
            with suppress(exceptions.BaseError, OSError):  # the parts are thrown away, where that can be done
                writer.__exit__(type(error), error, error.__traceback__)
            raise
        return written

    def _read(self, key: str, offset: int, length: int) -> Iterator[bytes]:
        """What is there of a range, part by part, so that none needs longer than a request may take."""
        if not length:
            self.size(key)
        end = offset + length
        for start in range(offset, end, PART):
            wanted = min(PART, end - start)
            data = self._read_part(key, start, wanted)
            yield data
            if len(data) < wanted:
                return

    def _pieces(self, key: str, name: str, size: int) -> Iterator[bytes]:
        for start in range(0, size, PART):
            with _translated(name):
                piece = obstore.get_range(self._bucket, key, start=start, length=min(PART, size - start)).to_bytes()
            yield piece

    def _read_part(self, key: str, offset: int, length: int) -> bytes:
        with self._reading(key):
            try:
                return obstore.get_range(self._bucket, key, start=offset, length=length).to_bytes()
            except exceptions.GenericError:  # among them is a range that begins behind the end
                if obstore.head(self._bucket, key)["size"] > offset:
                    raise
                return b""

    @contextmanager
    def _reading(self, key: str) -> Generator[None]:
        with _translated(f"object {key}"):
            try:
                yield
            except FileNotFoundError:
                # Said of a missing bucket too, which is no damage; asked for a list, that one gives an error.
                next(iter(obstore.list(self._bucket, chunk_size=1)), None)
                raise Damaged(f"pack {key}", expected="present", found="missing") from None

    def _keys(self, prefix: str) -> Iterator[str]:
        folder = prefix.rpartition("/")[0]
        with _translated("the bucket of objects"):
            batches = obstore.list(self._bucket, prefix=folder or None)
            keys = sorted(found["path"] for batch in batches for found in batch)
        return (key for key in keys if key.startswith(prefix))

    def _remove(self, key: str) -> None:
        with _translated(f"object {key}"), suppress(FileNotFoundError):
            obstore.delete(self._bucket, key)


def cloud_store(scheme: str, bucket: str, prefix: str, *, wait: float) -> CloudStore:
    """Objects below a prefix of a bucket. Credentials and endpoints are those of the environment, read now.

    Raises `Refused` where these cannot be used. Whether the bucket is there is asked when it is first needed.
    """
    letters, opened = _CLOUDS[scheme]
    client, retry = _patience(wait, os.environ.get(f"{letters}_ALLOW_HTTP", ""))
    # what S3 is sent bears a checksum, which it compares before it acknowledges
    checked: dict[str, Any] = (
        {"checksum_algorithm": os.environ.get("AWS_CHECKSUM_ALGORITHM", "SHA256")} if scheme == "s3" else {}
    )
    try:
        return CloudStore(opened(bucket, prefix=prefix, client_options=client, retry_config=retry, **checked))
    except (exceptions.BaseError, ValueError, OSError):
        raise Refused(f"{scheme}:// cannot be used as {letters}_… in the environment say; correct these") from None


def _patience(wait: float, allow_http: str) -> tuple[ClientConfig, RetryConfig]:
    """How long a request may take, and how long after its begin it is sent again: half of `wait` together.

    It is half since what fails in the middle of an object is followed by one more request, which throws it away.
    """
    once = timedelta(seconds=max(0.4 * wait, 1))
    again = timedelta(seconds=min(0.1 * wait, 180))
    client: ClientConfig = {"timeout": once, "connect_timeout": min(once, timedelta(seconds=5))}
    if allow_http.lower() in ("1", "true"):
        client["allow_http"] = True
    return client, {"retry_timeout": again, "max_retries": 20}


@cache
def _first_process() -> int:
    return os.getpid()


def _refuse_fork() -> None:
    """The client's threads are its process's for ever: in a forked child every call would wait without end."""
    if _first_process() != os.getpid():
        raise Refused("a forked process cannot reach a bucket that its parent has reached; start it by spawn")


def _taken(key: str) -> Refused:
    return Refused(f"object {key} stands already, and a key is used once; take a fresh key")


@contextmanager
def _translated(thing: str) -> Generator[None]:
    """Tell what a store says as `Unavailable`, without its text, which names hosts and may hold a signed address."""
    _refuse_fork()
    try:
        yield
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        message = f"{thing} is closed to us ({_reason(error)}); check the credentials, then try again"
        raise Unavailable(message) from None
    except FileNotFoundError:
        raise Unavailable(f"{thing} cannot be reached (no such bucket); make it or correct its name") from None
    except (exceptions.BaseError, OSError) as error:  # a writer in parts raises plain OSErrors too
        message = f"{thing} cannot be reached ({_reason(error)}); see to endpoint and bucket, then try again"
        raise Unavailable(message) from None


def _reason(error: Exception) -> str:
    """The status and the code of an answer, which are all that is safe to repeat."""
    found = re.findall(r"status code: (\d{3})|<Code>([A-Za-z]{1,60})<", str(error))
    return " ".join(dict.fromkeys(status or code for status, code in found)) or "no answer"
