"""The whole ledger without Docker: the parts the tests use, and Lepton's own processes. `make stack` runs it.

It prints the settings to work with it and runs until Ctrl-C or SIGTERM, then stops everything it started.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from .broker import Kafka
from .buckets import S3
from .servers import PostgreSQL

PROCESSES = ("relay", "projector", "intake", "worker")
LEDGERS_OWN = ("LEPTON_DATABASE", "LEPTON_HOME")
"""What a worker is not told: it knows Kafka and the object store."""
MAIN = "from lepton_ai.cli import main; main()"


def parts(close: ExitStack) -> dict[str, str]:
    """Start broker, database and object store; returns the settings that name them."""
    kafka = Kafka()
    close.callback(kafka.remove)
    kafka.start()
    postgresql = PostgreSQL()
    close.callback(postgresql.remove)
    postgresql.start()
    s3 = S3()
    s3.start()
    close.callback(s3.remove)
    return {
        "LEPTON_KAFKA": kafka.servers,
        "LEPTON_DATABASE": postgresql.url(),
        "LEPTON_OBJECTS": s3.url,
        **s3.environment(),
    }


def main() -> None:
    """Start all, say how to talk to it, wait for a signal, stop all."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print("starting a broker, a database and a bucket ...", file=sys.stderr, flush=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as close:
        home = Path(close.enter_context(tempfile.TemporaryDirectory(prefix="lepton-stack-")))
        settings = {"LEPTON_HOME": str(home / "home"), **parts(close)}
        environment = os.environ | settings | {"PYTHONSAFEPATH": "1"}
        for name in PROCESSES:
            known = {key: value for key, value in environment.items() if name != "worker" or key not in LEDGERS_OWN}
            running = subprocess.Popen([sys.executable, "-c", MAIN, name], env=known, stdout=subprocess.DEVNULL)
            close.callback(running.wait)
            close.callback(running.terminate)
        print(*(f"export {name}='{value}'" for name, value in settings.items()), sep="\n")
        print(f"# {', '.join(PROCESSES)} are running; paste the lines above into a shell, Ctrl-C here stops all")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
