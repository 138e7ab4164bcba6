"""A server as a person starts it: what it says, serves, keeps out and leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.made.catalogues import add_galaxies
from tests.made.terminal import zoolens
from tests.serve.conftest import Served, serving
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], bool]], None]
_LONG = "SELECT a.iauname FROM votes a, votes b, votes c"


@pytest.fixture
def path(full_gz: Path, tmp_path: Path) -> Path:
    path = tmp_path / "gz.duckdb"
    path.write_bytes(full_gz.read_bytes())
    return path


@pytest.fixture
def until() -> Until:
    def wait(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.1)

    return wait


def _processes(server: Served) -> list[int]:
    """The processes of a server, and theirs."""
    found, left = [], [server.process.pid]
    while left:
        process = left.pop()
        found.append(process)
        children = Path(f"/proc/{process}/task/{process}/children")
        left += [int(word) for word in children.read_text().split()] if children.exists() else []
    return found


def test_it_follows_the_catalogue_and_stops_with_nothing_left(
    path: Path, tmp_path: Path, until: Until
) -> None:
    count = "SELECT COUNT(*) FROM galaxies"
    with serving(path, tmp_path / "jobs", "--follow", "--every", "0.3") as server:
        assert server.csv(count)[1] == ["30"]
        with Store.open(path) as store:  # which no reader keeps from writing
            add_galaxies(store, 2)
            until(lambda: server.csv(count)[1] == ["32"])
        processes = _processes(server)
        assert len(processes) == 2
        said = server.stop()
    assert "a newer catalogue is served" in said
    assert said.splitlines()[-1].startswith("zoolens: ended by SIGTERM")
    assert not any(Path(f"/proc/{process}").exists() for process in processes)


def test_a_client_that_leaves_or_is_slow_holds_up_nobody(
    path: Path, tmp_path: Path, until: Until
) -> None:
    with serving(path, tmp_path / "jobs", "--timeout", "5", "--workers", "2") as server:
        where = urllib.parse.urlsplit(server.url)
        query = urllib.parse.urlencode(
            {"LANG": "ADQL", "FORMAT": "csv", "MAXREC": "10000000", "QUERY": _LONG}
        )
        head = f"GET /tap/sync?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        leaving = socket.create_connection((where.hostname or "", where.port or 0))
        leaving.sendall(head)
        assert leaving.recv(100).startswith(b"HTTP/1.1 200")
        leaving.close()
        slow = socket.create_connection((where.hostname or "", where.port or 0))
        slow.sendall(head)
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        assert server.csv("SELECT COUNT(*) FROM galaxies")[1] == ["30"]
        until(lambda: any("more than 5 s" in str(line.get("error")) for line in server.logged()))
        slow.close()
        assert len(server.logged()) == 3
        assert len(_processes(server)) == 2
        assert "Traceback" not in server.stop()


def test_only_who_knows_the_token_is_answered(path: Path, tmp_path: Path) -> None:
    with serving(path, tmp_path / "jobs", "--token", "word") as server:
        assert server.get("/capabilities")[0] == 401
        known = urllib.request.Request(
            server.url + "/capabilities", headers={"Authorization": "Bearer word"}
        )
        assert server.ask(known)[0] == 200


def test_at_work_it_ends_by_impatient_ctrl_c_and_leaves_nothing(
    path: Path, tmp_path: Path, until: Until
) -> None:
    count = _LONG.replace("a.iauname", "COUNT(*)") + ", votes d, votes e"
    with serving(path, tmp_path / "jobs") as server, ThreadPoolExecutor(1) as another:
        asking = another.submit(server.get, "/sync", LANG="ADQL", QUERY=count)
        until(lambda: len(_processes(server)) == 3)
        # the page, with which what makes maps begins to load
        assert server.ask(urllib.request.Request(server.url.removesuffix("tap")))[0] == 200
        processes = _processes(server)
        assert len(processes) == 4
        os.killpg(server.process.pid, signal.SIGINT)
        said = server.stop(signal.SIGINT)
        assert asking.result()[0] == 503
        assert b"the server is ending" in asking.result()[1]
    assert said.strip().startswith("zoolens: interrupted")
    assert "Traceback" not in said
    assert not any(Path(f"/proc/{process}").exists() for process in processes)
    assert not (tmp_path / "jobs" / "scratch").exists()


def test_killed_it_leaves_no_process(path: Path, tmp_path: Path, until: Until) -> None:
    with serving(path, tmp_path / "jobs") as server:
        server.post("/async", LANG="ADQL", QUERY=_LONG, MAXREC="10000000", PHASE="RUN")
        until(lambda: len(_processes(server)) == 3)
        processes = _processes(server)
        server.process.kill()
        server.process.wait()
        until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--catalog", "absent.duckdb", "--port", "0"], "no catalogue at absent.duckdb"),
        (["--catalog", "damaged.duckdb", "--port", "0"], "damaged.duckdb"),
        (["--host", "no-such-host.invalid"], "no-such-host.invalid:8000 cannot be served"),
        (["--log", "no/such/folder/log", "--port", "0"], "no/such/folder/log cannot be written"),
        (["--jobs", "gz.duckdb/jobs", "--port", "0"], "gz.duckdb/jobs cannot be written to"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(path: Path, options: list[str], said: str) -> None:
    damaged = path.with_name("damaged.duckdb")
    damaged.write_bytes(path.read_bytes()[:50_000])
    ended = subprocess.run(
        [sys.executable, "-m", "zoolens", "serve", *options],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "variable", "said"),
    [
        (["--token", " "], None, "it is empty"),
        ([], "", "it is empty"),
        (["--url", "nonsense"], None, "nonsense is no address"),
        (["--url", "ftp://x"], None, "ftp://x is no address"),
        (["--url", "https://"], None, "https:// is no address"),
        (["--url", "http://x:99999"], None, "http://x:99999 is no address"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_served(
    options: list[str], variable: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv("ZOOLENS_TOKEN", variable)
    ended = zoolens("serve", *options, "--catalog", "absent.duckdb")
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.split())
