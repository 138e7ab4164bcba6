"""Queries at work: how many at once, their answers as they come, and their ends.

Each is a process (`catalog.serve.child`) that another one forks (`catalog.serve.forking`): this
one, which talks to strangers, never touches DuckDB.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from signal import SIGABRT, SIGALRM, SIGKILL, SIGXCPU, SIGXFSZ
from typing import Any, NamedTuple

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.serve.asking import BROKEN, Limits, Request, too_much
from zoolens.catalog.serve.asking import MEMORY as NO_MEMORY
from zoolens.catalog.serve.forking import MESSAGE, PRODUCTS, Order

_LINE = 1 << 17  # bytes of the line that says how it went
_ORDER = 150_000  # bytes, which Linux sends in one piece
_PART = 1 << 16  # bytes of an answer that are held
_GRACE = 5.0  # seconds after its own alarm that a process is given
_LOADING = 60.0  # seconds that may pass, on a busy machine, before what loads much forks its first


class Busy(CatalogError):
    """Too many ask at once; the same request is answered a little later."""


class Failed(CatalogError):
    """A fault of the server's, or of the machine: not of who asks."""


class Full(Failed):
    """There is no room on the disk for what an answer needs; later there may be."""


class End(NamedTuple):
    """How a process ended: its exit code, or a signal's below zero; 0 for well.

    code: None if it went with what forks them; reason: why it broke off, if it says so.
    """

    code: int | None
    reason: str = ""


class Answering:
    """The answer to a query, as it comes."""

    def __init__(self, reader: asyncio.StreamReader, ended: "asyncio.Future[End]", limits: Limits):
        self._reader, self._ended, self._limits = reader, ended, limits

    async def begin(self) -> dict[str, Any]:
        """Wait until there is an answer; what is said of it first.

        Raises `CatalogError` where there will be none: `UnknownName` if what is asked for is not
        there, `Full` if the disk is.
        """
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise self._died(await self._ended)
        said = json.loads(line)
        if said["status"] != "ok":
            kinds = {"full": Full, "absent": UnknownName}
            kind = next((kinds[name] for name in kinds if said.get(name)), CatalogError)
            raise kind(said["message"])
        return dict(said)

    async def parts(self) -> AsyncIterator[bytes]:
        """The answer, part by part. Raises `CatalogError` if it breaks off."""
        while part := await self._reader.read(_PART):
            yield part
        if (end := await self._ended).code != 0:
            raise self._died(end)

    def _died(self, end: End) -> CatalogError:
        if end.code is None:
            return Failed("the query was stopped: the server ended it")
        if end.code == BROKEN and end.reason:
            return CatalogError(end.reason)
        if end.code in (NO_MEMORY, -SIGABRT):  # DuckDB's allocator ends so
            return CatalogError(too_much(self._limits))
        if -end.code in (SIGALRM, SIGXCPU):
            reason = f"it took more than {self._limits.seconds:,g} s; ask for less, or by /async"
        elif -end.code == SIGXFSZ:
            reason = f"its answer is longer than {self._limits.size / 1e9:,.3g} GB"
        elif -end.code == SIGKILL:  # the kernel's doing: who is late was ended by an alarm
            reason = "the machine had no memory left for it; ask for less at a time"
        else:
            return Failed("the server failed at this query; its log says why")
        return CatalogError(f"the query was stopped: {reason}")


class Workers:
    """Processes for queries.

    most: how many at once; waiting: how many more may wait, each so many seconds; scratch: the
    folder for what they write, that of the system unless given; products: they are to be for what
    is made of galaxies' pixels, for which much is loaded.
    """

    def __init__(
        self,
        most: int,
        waiting: int = 64,
        patience: float = 30.0,
        scratch: Path | None = None,
        *,
        products: bool = False,
    ) -> None:
        self._slots = asyncio.Semaphore(most)
        self._waiting, self._most_waiting, self._patience = 0, waiting, patience
        self._numbers = count(1)
        self._grace = _GRACE + (_LOADING if products else 0.0)
        self._ended: dict[int, asyncio.Future[End]] = {}
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._orders, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE)
        module = "zoolens.catalog.serve.forking"
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and a module of ours
            [sys.executable, "-m", module, str(theirs.fileno()), *([PRODUCTS] if products else [])],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | ({} if scratch is None else {"TMPDIR": str(scratch)}),
            process_group=0,  # Ctrl-C is for this process, which ends that one
        )
        theirs.close()
        self._orders.setblocking(False)
        asyncio.get_running_loop().add_reader(self._orders, self._hear)

    @property
    def running(self) -> int:
        """How many queries are at work."""
        return len(self._ended)

    @asynccontextmanager
    async def answering(
        self, catalog: Path, asked: Request, limits: Limits, patience: float | None = None
    ) -> AsyncIterator[Answering]:
        """A query at work; it ends with the context. Raises `Busy` if it would wait too long.

        patience: seconds that it may wait, those of all unless given; inf for ever.
        """
        await self._slot(self._patience if patience is None else patience)
        number = next(self._numbers)
        try:
            order = Order(number, str(catalog), asked, limits).packed()
            if len(order) > _ORDER:
                raise CatalogError(f"the query is longer than {_ORDER:,} bytes")
            reading, writing = os.pipe()
            try:
                socket.send_fds(self._orders, [order], [writing])
            except OSError:
                os.close(reading)
                raise Busy("the server cannot take more queries now; try again") from None
            finally:
                os.close(writing)
            ended = asyncio.get_running_loop().create_future()
            self._ended[number] = ended
            reader = asyncio.StreamReader(limit=_LINE)
            pipe = os.fdopen(reading, "rb", buffering=0)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            late = asyncio.get_running_loop().call_later(
                limits.seconds + self._grace, self._too_late, number
            )
            try:
                yield Answering(reader, ended, limits)
            finally:
                late.cancel()
                transport.close()
                self._kill(number)
        finally:
            self._slots.release()

    async def _slot(self, patience: float) -> None:
        if self._slots.locked() and self._waiting >= self._most_waiting:
            raise Busy("too many queries wait already; try again a little later")
        self._waiting += 1
        try:
            async with asyncio.timeout(None if patience == float("inf") else patience):
                await self._slots.acquire()
        except TimeoutError:
            raise Busy(f"others' queries took longer than {patience:g} s; try again") from None
        finally:
            self._waiting -= 1

    def _kill(self, number: int) -> None:
        """End a query's process, if it has not ended."""
        if number in self._ended:
            with suppress(OSError):
                self._orders.send(Order(number).packed())

    def _too_late(self, number: int) -> None:
        ended = self._ended.get(number)
        if ended is not None and not ended.done():
            ended.set_result(End(-SIGALRM))
        self._kill(number)

    def _hear(self) -> None:
        """What the forking process says: which have ended, and how."""
        try:
            data = self._orders.recv(MESSAGE)
        except BlockingIOError:
            return
        except ConnectionResetError:  # it has ended with an order unread
            data = b""
        if not data:
            self._fail()
            return
        said = json.loads(data)
        ended = self._ended.pop(said["number"], None)
        if ended is not None and not ended.done():
            ended.set_result(End(said["code"], said["reason"]))

    def _fail(self) -> None:
        asyncio.get_running_loop().remove_reader(self._orders)
        for ended in self._ended.values():
            if not ended.done():
                ended.set_result(End(None))
        self._ended.clear()

    @property
    def alive(self) -> bool:
        """Whether queries can be answered at all."""
        return self._process.poll() is None

    def close(self) -> None:
        """End all queries."""
        with suppress(ValueError, OSError):
            asyncio.get_running_loop().remove_reader(self._orders)
        self._orders.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()
