"""Python processes that begin with their imports done: forked off one that did them once.

Most of what a process of a test takes is its imports, two seconds of a core where it needs torch. So `WarmPopen` forks
what would be Python run with a program, or the command `lepton`: program, arguments, environment, folder, session,
files, number and end are the same. What asks how a process itself begins is spawned (`COLD` in conftest.py).
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fcntl import F_DUPFD, fcntl
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Final, NamedTuple, NoReturn
from weakref import WeakSet

ROOT: Final = Path(__file__).parents[1]
SOCKET: Final = "WARM_PROCESSES"
"""The variable that names the socket of what all is forked off."""
IMPORTED: Final = (
    "torch", "torch._dynamo", "pandas", "pyarrow.csv", "pyarrow.parquet", "scipy.stats", "sklearn.ensemble",
    "sklearn.linear_model", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "psycopg", "duckdb",
    "httpx", "rich.console", "lepton_ai.manager", "lepton_ai.cli.app", "lepton_ai.tensors.address",
    "lepton_ai.workers.worker", "lepton_ai.workers.child", "lepton_ai.workers.rows", "lepton_ai.workers.tasks",
    "lepton_ai.datasets.read", "lepton_ai.evaluation.report", "lepton_ai.models.credit.model",
    "lepton_ai.projections.projector", "lepton_ai.jobs.assigner",
)  # fmt: skip
"""What most of them import."""
AT_ITS_START: Final = (
    *("PYTHON", "LANG", "LC_", "LD_", "MALLOC_", "ARROW_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "TZ"),
)
"""How variables begin that a process reads as it begins or imports: one that is given others is spawned."""
SIZE: Final = 1 << 17
HIGH: Final = 400
"""Beyond the numbers of files that a test passes."""
CHILDREN: Final = ("lepton_ai.cli.child", "lepton_ai.cli.search", "lepton_ai.building.parallel.rank")
"""What a forked process forks in its turn; else it spawns."""
BOUNDED: Final = ("lepton_ai.results.pages.artist", "setrlimit")
"""What programs have in them that bound their own memory, of which the imports of others take too much."""


class Program(NamedTuple):
    """What a process runs: how it is named, what it is, and its arguments with its own name first."""

    how: str
    what: str
    arguments: tuple[str, ...]


def program(command: Sequence[str]) -> Program | None:
    """What a command of Python, or the script `lepton`, runs; None for another command, or options of Python's."""
    python, *words = command
    if python == str(Path(sys.executable).with_name("lepton")):
        return Program("script", python, (python, *words))
    match words[1:] if words[:1] == ["-P"] else words:
        case _ if python != sys.executable:
            return None
        case ["-m", module, *given]:
            return Program("module", module, ("-m", *given))
        case ["-c", code, *given]:
            return Program("code", code, ("-c", *given))
        case [script, *given] if not script.startswith("-"):
            return Program("script", script, (script, *given))
        case _:
            return None


def at_its_start(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that a process reads as it begins, but for PYTHONPATH where all of it is ours."""
    read = {name: value for name, value in environment.items() if name.startswith(AT_ITS_START)}
    if all(Path(place).is_relative_to(ROOT) for place in read.get("PYTHONPATH", "").split(os.pathsep)):
        read.pop("PYTHONPATH")
    return read


BEGUN: Final = at_its_start(os.environ)
"""Those with which the warm process began, and so did this one."""


# ── who asks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class WarmPopen(subprocess.Popen[Any]):
    """A process that is forked off the warm one, where that can be; any other is spawned."""

    only: ClassVar[tuple[str, ...]] = ()
    """The modules that are forked; all programs where it names none."""
    begun: ClassVar[WeakSet[WarmPopen]] = WeakSet()
    """Those that somebody still holds."""
    environment: Mapping[str, str]
    """What `/proc` does not tell of a process that was forked."""
    _end: socket.socket | None = None

    def _execute_child(self, *given: Any) -> None:
        from inspect import signature

        how = signature(super()._execute_child).bind(*given).arguments
        self.environment = dict(os.environ if how["env"] is None else how["env"])
        self.begun.add(self)
        ends = [how[end] for end in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
        order = self._order(how)
        if len(order) > SIZE or order == b"null":
            super()._execute_child(*given)
            return
        std = [end if end != -1 else number for number, end in enumerate((ends[0], ends[3], ends[5]))]
        self._end, self.pid = asked(os.environ[SOCKET], order, how["cwd"] or ".", [*std, *how["pass_fds"]])
        self._child_created = True
        self._close_pipe_fds(*ends)

    def _order(self, how: Mapping[str, Any]) -> bytes:
        """What the warm process is to become, `null` where a process is spawned."""
        usual = {"close_fds": True, "uid": None, "gid": None, "umask": -1, "process_group": -1, "executable": None}
        usual |= {"preexec_fn": None, "shell": False, "gids": None, "restore_signals": True}
        if SOCKET not in os.environ or any(how[name] != value for name, value in usual.items()):
            return b"null"
        given = [how["args"]] if isinstance(how["args"], str | bytes) else how["args"]
        files, session = how["pass_fds"], how["start_new_session"]
        return order([*map(os.fsdecode, given)], self.environment, files, session=session, only=self.only)

    def _internal_poll(self, _deadstate: int | None = None, *_: Any) -> int | None:
        if self._end is None:
            return super()._internal_poll(_deadstate)
        if self.returncode is None and self._waitpid_lock.acquire(False):
            try:
                if (ended := self._try_wait(os.WNOHANG))[0]:
                    self._handle_exitstatus(ended[1])
            finally:
                self._waitpid_lock.release()
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._end is None:
            return super()._try_wait(wait_flags)
        if self.returncode is not None or not _readable(self._end, 0 if wait_flags & os.WNOHANG else None):
            return 0, 0
        status = int(self._end.recv(SIZE) or int(signal.SIGKILL))
        self._end.close()
        return self.pid, status


class NestedPopen(WarmPopen):
    """What stands for it in a process that was forked."""

    only = CHILDREN


def order(
    words: Sequence[str],
    environment: Mapping[str, str],
    files: Sequence[int] = (),
    *,
    session: bool = False,
    only: tuple[str, ...] = (),
) -> bytes:
    """What the warm process is to become, `null` where it cannot."""
    run = program(words)
    if run is None or any(word in run.what for word in BOUNDED):
        return b"null"
    if at_its_start(environment) != BEGUN or not BEGUN.get("PYTHONSAFEPATH"):
        return b"null"
    if only and (run.how != "module" or run.what not in only):
        return b"null"
    asked = {"program": run, "words": words, "environment": environment, "files": files, "session": session}
    return json.dumps(asked | {"umask": _umask()}).encode()


def asked(place: str, order: bytes, folder: str | os.PathLike[str], files: Sequence[int]) -> tuple[socket.socket, int]:
    """Where the end of a forked process will be told, and its number."""
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        end.connect(place)
        socket.send_fds(end, [order], [here, *files])
        return end, int(end.recv(SIZE))
    except BaseException:
        end.close()
        raise
    finally:
        os.close(here)


def _umask() -> int:
    words = Path("/proc/self/status").read_text().split()
    return int(words[words.index("Umask:") + 1], 8)


def _readable(end: socket.socket, timeout: float | None) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(end, selectors.EVENT_READ)
        return bool(waiting.select(timeout))


def on_path(folder: Path) -> Path:
    """A folder for PATH, whose `lepton` and `python` run as forked processes of shells."""
    for name in ("lepton", "python"):
        stand_in = f"#!{sys.executable} -SI\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        stand_in += f"from warm import stand_in\nstand_in({str(Path(sys.executable).with_name(name))!r})\n"
        (folder / name).write_text(stand_in)
        (folder / name).chmod(0o755)
    return folder


def stand_in(command: str) -> NoReturn:
    """Be a command of a shell: forked, and this process lasts as long, passes signals on and ends as it does."""
    words = [sys.executable if Path(command).name == "python" else command, *sys.argv[1:]]
    become = order(words, dict(os.environ))
    if SOCKET not in os.environ or become == b"null":
        os.execv(words[0], words)
    end, pid = asked(os.environ[SOCKET], become, ".", (0, 1, 2))
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _: os.kill(pid, number))
    _exit(os.waitstatus_to_exitcode(int(end.recv(SIZE) or int(signal.SIGKILL))))


# ── what all is forked off ───────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def warm(folder: Path) -> Iterator[None]:
    """Have a process that others are forked off, until the context ends, with which they end.

    It does its imports when it is asked for the first process.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(os.fspath(path := folder / "warm"))
        listening.listen(64)
        words = (sys.executable, __file__, str(listening.fileno()))
        given = (listening.fileno(),)
        process = subprocess.Popen(words, pass_fds=given, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/")
    os.environ[SOCKET] = os.fspath(path)
    try:
        yield
    finally:
        del os.environ[SOCKET]
        process.communicate()


class Running(NamedTuple):
    """A process that was forked, and whom to tell how it ended."""

    pid: int
    asked: socket.socket


def serve(place: int) -> Program:
    """Fork a process for each that is asked for, and tell how each ended; in what is forked it returns its program."""
    listening, running, waiting = socket.socket(fileno=place), dict[int, Running](), selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    waiting.register(0, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fd == 0:
                _end(running.values())
            elif key.fd == place:
                _import()
                asks = listening.accept()[0]
                words, files, *_ = socket.recv_fds(asks, SIZE, 64)
                if not words:  # whoever asked has died
                    asks.close()
                    continue
                if (pid := os.fork()) == 0:
                    for each in (waiting, listening, asks, *(other.asked for other in running.values())):
                        each.close()
                    return _become(json.loads(words), files)
                with suppress(OSError):  # whoever asked has died meanwhile
                    asks.send(str(pid).encode())
                for file in files:
                    os.close(file)
                running[watched := os.pidfd_open(pid)] = Running(pid, asks)
                waiting.register(watched, selectors.EVENT_READ)
            else:
                waiting.unregister(key.fd)
                os.close(key.fd)
                pid, asks = running.pop(key.fd)
                status = os.waitpid(pid, 0)[1]
                with suppress(OSError):
                    asks.send(str(status).encode())
                asks.close()


def _import() -> None:
    if "torch" not in sys.modules:
        for name in IMPORTED:
            import_module(name)
        gc.collect()
        gc.freeze()


def _end(running: Iterable[Running]) -> NoReturn:
    """The tests have ended: so does all that still runs."""
    for each in running:
        with suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    os._exit(0)


def _become(order: Mapping[str, Any], files: Sequence[int]) -> Program:
    """Be the process that is asked for, but for its program."""
    if order["session"]:
        os.setsid()
    here, *theirs = [fcntl(file, F_DUPFD, HIGH) for file in files]
    os.closerange(3, HIGH)
    for file, number in zip(theirs, (0, 1, 2, *order["files"]), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.fchdir(here)
    os.close(here)
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old, buffering = getattr(sys, name), 1 if name == "stderr" else -1
        new = open(number, old.mode, buffering, errors=old.errors, closefd=False)  # noqa: SIM115 - to the end
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    if here_too := order["environment"].get("PYTHONPATH"):
        sys.path[:0] = [place for place in here_too.split(os.pathsep) if place not in sys.path]
    run = Program(*order["program"])
    words = order["words"] if order["words"][0] == sys.executable else [sys.executable, *order["words"]]
    sys.orig_argv, sys.argv = words, list(run.arguments)
    subprocess.Popen = NestedPopen
    return run


def run(program: Program) -> None:
    """Run it as Python would."""
    match program.how:
        case "module":
            runpy.run_module(program.what, run_name="__main__", alter_sys=True)
        case "script":
            runpy.run_path(program.what, run_name="__main__")
        case _:
            main = sys.modules["__main__"] = ModuleType("__main__")
            exec(compile(program.what, "<string>", "exec", dont_inherit=True), vars(main))


def _ended(error: BaseException) -> int:
    """What a process ends with behind an exception that nothing caught, which is told on the way."""
    match error:
        case SystemExit(code=None):
            return 0
        case SystemExit(code=int(code)):
            return code & 0xFF
        case SystemExit():
            print(error.code, file=sys.stderr)
        case _:
            told = error.__traceback__
            while told is not None and told.tb_frame.f_code.co_filename == __file__:
                told = told.tb_next
            sys.excepthook(type(error), error, told)
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def main() -> NoReturn:
    """End as Python does, but for taking all modules apart, which takes longer than many programs."""
    code, chosen = 0, serve(int(sys.argv[1]))
    try:
        run(chosen)
    except BaseException as error:  # noqa: BLE001 - Python itself
        code = _ended(error)
    threading._shutdown()
    atexit._run_exitfuncs()
    for written in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            written.flush()
    _exit(code)


def _exit(code: int) -> NoReturn:
    """End with a code, or by a signal where it is below 0."""
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
