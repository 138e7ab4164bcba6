"""A served catalogue among strangers: hostile requests, clients that are slow or leave, kills.

Each case has a server of its own, a process as a person starts it. Every request is answered, by an
error of the standard where it is none, or its connection is closed, in its time; right after it the
server answers a fixed query; and at the end of a case no process, file or descriptor is left over.
"""

import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from reliability.adql import hostile_query
from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.requests import broken_http, broken_upload, form_of, odd_request
from reliability.world import World
from tests.made.serving import Served, serving

BATCH = 200  # requests of a case
_AT_ONCE = 6  # clients of a case
_SECONDS, _PATIENCE = 3.0, 1.0  # that a query may take, and a request to come
_SLACK = 20.0  # seconds on a machine that may be busy
_OPTIONS = ("--timeout", str(_SECONDS), "--patience", str(_PATIENCE), "--memory", "0.5")
_ALIVE = "SELECT COUNT(*) AS n FROM galaxies"
_SHOWN = (b"root:", b"Traceback", b'File "/')
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LONG = "SELECT COUNT(*) FROM " + ", ".join(f"votes v{n}" for n in range(6))


class Wrong(Exception):
    """Something is not as promised."""


@contextmanager
def served(world: World, folder: Path, *options: str) -> Iterator[Served]:
    """A server of a small catalogue, whose files are in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    gz = folder / "gz.duckdb"
    shutil.copy(world.part("full") / "gz.duckdb", gz)
    with serving(gz, folder / "jobs", *_OPTIONS, *options) as server:
        alive(server)
        yield server


def alive(server: Served) -> None:
    """Raises if a fixed query is not answered."""
    answer = body_of(exchange(server, form_of(_ALIVE)))
    if answer != b"n\n30\n":
        raise Wrong(f"a sound query is answered {answer[:200]!r}")


def exchange(server: Served, data: bytes) -> bytes:
    """What is answered to some bytes, until the connection is closed or an answer is whole.

    Raises if nothing happens in time.
    """
    where = urlsplit(server.url)
    patience = _SECONDS + _PATIENCE + _SLACK
    with socket.create_connection((where.hostname, where.port), patience) as client:
        with suppress(OSError):  # it may have closed the connection already
            client.sendall(data)
        found = b""
        try:
            while (part := client.recv(1 << 16)) and not _is_whole(found := found + part):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            raise Wrong(f"no answer within {patience:g} s, after {found[:80]!r}") from None
    return found


def _is_whole(answer: bytes) -> bool:
    head, mark, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length is not None:
        return bool(mark) and len(body) >= int(length[1])
    return body.endswith(b"\r\n0\r\n\r\n") or body == b"0\r\n\r\n"


def body_of(answer: bytes) -> bytes:
    """What a whole answer says, without the lengths of its chunks."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


def _judge(answer: bytes) -> None:
    """Raises unless an answer is nothing, or one that the standard knows."""
    if not answer:
        return
    status = _STATUS.match(answer)
    if status is None or status[1] in (b"500", b"502", b"504"):
        raise Wrong(f"answered {answer[:200]!r}")
    if any(word in answer for word in _SHOWN):
        raise Wrong(f"shows what it must not: {answer[:300]!r}")


def _refusal_of_query(answer: bytes) -> None:
    _judge(answer)
    if answer.startswith(b"HTTP/1.1 400") and b'name="QUERY_STATUS" value="ERROR"' not in answer:
        raise Wrong(f"refused otherwise than by a VOTable: {answer[:200]!r}")


# --- what is left over


def processes(server: Served) -> list[int]:
    """The server's process, that which forks, and those that answer."""
    found = [server.process.pid]
    for process in found:
        children = Path(f"/proc/{process}/task/{process}/children")
        with suppress(OSError):
            found += map(int, children.read_text().split())
    return found


def descriptors(server: Served) -> int:
    """How many the server and the process that forks have open."""
    return sum(len(os.listdir(f"/proc/{process}/fd")) for process in processes(server)[:2])


def memory(server: Served) -> int:
    """Bytes that the server and the process that forks take."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(
        int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page
        for process in processes(server)[:2]
    )


def scratch(folder: Path) -> list[str]:
    """Files for what is at work."""
    return [str(path) for path in (folder / "jobs" / "scratch").rglob("*")]


def nothing_left(server: Served, folder: Path, before: int) -> None:
    """Raises if a process, file or descriptor is left over; before: descriptors there were."""

    def left() -> str:
        if len(found := processes(server)) != 2:
            return f"{len(found) - 2} processes"
        if (more := descriptors(server) - before) > 0:
            return f"{more} descriptors"
        return f"files: {', '.join(scratch(folder))}" if scratch(folder) else ""

    until(lambda: not left(), left)


def until(holds: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait until something holds; raises with words if it does not in time."""
    end = time.monotonic() + _SECONDS + _PATIENCE + _SLACK
    while not holds():
        if time.monotonic() > end:
            raise Wrong(f"left over: {otherwise()}")
        time.sleep(0.05)


# --- hostile requests


def _of_requests(made: Callable[[Random], bytes], judge: Callable[[bytes], None]) -> Job:
    def run(case: Case, world: World, folder: Path) -> Verdict:
        requests = [made(case.random) for _ in range(BATCH)]
        with served(world, folder) as server:
            before = descriptors(server)

            def ask(data: bytes) -> str:
                try:
                    judge(exchange(server, data))
                    alive(server)
                except (Wrong, OSError) as error:
                    return f"{error}; asked {data[:300]!r}"
                return ""

            with ThreadPoolExecutor(_AT_ONCE) as clients:
                wrong = [words for words in clients.map(ask, requests) if words]
            if wrong:
                (folder / "wrong.txt").write_text("\n".join(wrong))
                return failed(f"{len(wrong)} of {BATCH}: {wrong[0]}", BATCH)
            try:
                nothing_left(server, folder, before)
            except Wrong as error:
                return failed(str(error), BATCH)
        return Verdict(Outcome.HELD, events=BATCH)

    return Job(run, ("full",), events=BATCH, isolated=False)


def _any_query(chance: Random) -> bytes:
    return form_of(hostile_query(chance))


def _any_odd(chance: Random) -> bytes:
    return odd_request(chance, hostile_query(chance) if chance.random() < 0.3 else "SELECT 1")


# --- clients that are slow, or leave


def _slow_clients(case: Case, world: World, folder: Path) -> Verdict:
    """Each is let go of in its time, and others are answered meanwhile."""
    ways = [case.random.choice([*_SLOW]) for _ in range(20)]
    with served(world, folder, "--rows", "10000000") as server:
        before = descriptors(server)
        try:
            with ThreadPoolExecutor(len(ways)) as clients:
                waits = [clients.submit(_until_closed, server, *_SLOW[way]) for way in ways]
                for _ in range(5):
                    alive(server)
                for way, wait in zip(ways, waits, strict=True):
                    if not wait.result():
                        return failed(f"{way}: still connected", len(ways))
            nothing_left(server, folder, before)
        except Wrong as error:
            return failed(str(error), len(ways))
    return Verdict(Outcome.HELD, events=len(ways))


_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
_BIG = form_of("SELECT a.* FROM votes a, votes b, votes c", 9_000_000)
# What is sent at once, and what is sent every moment; an answer is never read.
_SLOW: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "half a head": (b"GET /tap/availability HTTP/1.1\r\nHost: here\r\n", b""),
    "a head by letters": (b"GET /tap/availability HTTP/1.1\r\nX: ", b"y"),
    "half a body": (
        b"POST /tap/sync HTTP/1.1\r\nHost: here\r\nContent-Length: 99\r\n" + _FORM + b"\r\nLANG",
        b"",
    ),
    "a body by letters": (
        b"POST /tap/sync HTTP/1.1\r\nHost: here\r\nContent-Length: 99999\r\n" + _FORM + b"\r\nA=",
        b"y",
    ),
    "a body that nobody asked for": (
        b"POST /tap/tables HTTP/1.1\r\nHost: here\r\nContent-Length: 99999\r\n\r\n",
        b"y",
    ),
    "an answer that is not read": (_BIG, b""),
    "many answers that are not read": (
        b"GET /tap/tables HTTP/1.1\r\nHost: here\r\n\r\n" * 400,
        b"",
    ),
}


def _until_closed(server: Served, first: bytes, again: bytes) -> bool:
    """Whether the server closes the connection to a slow client in time."""
    where = urlsplit(server.url)
    end = time.monotonic() + 2 * (_SECONDS + _PATIENCE) + _SLACK
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((where.hostname, where.port))
        client.settimeout(1.0)
        with suppress(OSError):  # it takes no more of it
            client.sendall(first)
        state = Path("/proc/net/tcp")
        ends = (f":{where.port:04X}", f":{client.getsockname()[1]:04X}")
        while time.monotonic() < end:
            with suppress(TimeoutError):
                try:
                    client.sendall(again)
                except ConnectionError:
                    return True
            if not _is_open(state, ends):
                return True
            time.sleep(0.2)
    return False


def _is_open(table: Path, ends: tuple[str, str]) -> bool:
    """Whether the server has a connection, between two ports, that it has not closed."""
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return any((row[1][-5:], row[2][-5:], row[3]) == (*ends, "01") for row in rows)


def _leaving_clients(case: Case, world: World, folder: Path) -> Verdict:
    """Clients that go while their query is at work: it ends, too."""
    leave = [case.random.uniform(0, 0.6) for _ in range(20)]
    queries = (_LONG, "SELECT a.* FROM votes a, votes b, votes c", _ALIVE)
    with served(world, folder) as server:
        before = descriptors(server)
        where = urlsplit(server.url)

        def come_and_go(seconds: float) -> None:
            with socket.create_connection((where.hostname, where.port)) as client:
                client.sendall(form_of(case.random.choice(queries)))
                time.sleep(seconds)

        try:
            with ThreadPoolExecutor(5) as clients:
                list(clients.map(come_and_go, leave))
            nothing_left(server, folder, before)
            alive(server)
        except (Wrong, OSError) as error:
            return failed(str(error), len(leave))
    return Verdict(Outcome.HELD, events=len(leave))


# --- kills


# What asynchronous jobs ask.
_LATER = (
    "SELECT COUNT(*) AS n FROM galaxies",
    "SELECT COUNT(*) AS n FROM votes a, votes b, votes c",
    "SELECT a.galaxy_id FROM votes a, votes b, galaxies g ORDER BY 1",
)


def _killed(case: Case, world: World, folder: Path) -> Verdict:
    """The server is killed while asynchronous jobs are at work; the next one ends them."""
    try:
        with served(world, folder, "--job-timeout", "60") as server:
            wanted = {query: body_of(exchange(server, form_of(query, 100_000))) for query in _LATER}
            made = [_job(server, query) for query in _LATER]
            time.sleep(case.random.uniform(0, 0.8))
            known = processes(server)
            server.process.kill()
            server.process.wait()
            until(lambda: not any(_is_alive(one) for one in known), lambda: f"processes of {known}")
        with serving(folder / "gz.duckdb", folder / "jobs", *_OPTIONS) as server:
            for job, query in zip(made, wanted, strict=True):
                _until_completed(server, job)
                _, body = server.get(f"{job}/results/result")
                if body != wanted[query]:
                    raise Wrong(f"{query} is answered otherwise after a kill: {body[:100]!r}")
            known = processes(server)
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(_SLACK)
            until(lambda: not any(_is_alive(one) for one in known), lambda: f"processes of {known}")
            if scratch(folder):
                raise Wrong(f"files: {', '.join(scratch(folder))}")
    except (Wrong, OSError) as error:
        return failed(str(error))
    return Verdict(Outcome.HELD)


def _job(server: Served, query: str) -> str:
    """The address of a new job at work."""
    _, body = server.post("/async", LANG="ADQL", FORMAT="csv", QUERY=query, PHASE="RUN")
    number = re.search(rb"<uws:jobId>(\w+)<", body)
    if number is None:
        raise Wrong(f"a job is answered {body[:200]!r}")
    return f"/async/{number[1].decode()}"


def _until_completed(server: Served, job: str) -> None:
    until(
        lambda: server.get(f"{job}/phase")[1] == b"COMPLETED",
        lambda: _state(server, job),
    )


def _state(server: Served, job: str) -> str:
    return f"a job that is {server.get(f'{job}/phase')[1]!r} {server.get(f'{job}/error')[1]!r}"


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


JOBS: dict[str, Job] = {
    "ADQL": _of_requests(_any_query, _refusal_of_query),
    "HTTP": _of_requests(broken_http, _judge),
    "odd requests": _of_requests(_any_odd, _judge),
    "uploads": _of_requests(broken_upload, _refusal_of_query),
    "slow clients": Job(_slow_clients, ("full",), share=0.25, events=20, isolated=False),
    "clients that leave": Job(_leaving_clients, ("full",), share=0.25, events=20, isolated=False),
    "server killed": Job(_killed, ("full",), share=1, isolated=False),
}
