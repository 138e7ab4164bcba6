"""Jobs over HTTP: their phases, changes, ends, and a restart of the server."""

import re
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serve.conftest import Served, serving

pytestmark = pytest.mark.slow

_LONG = "SELECT COUNT(*) FROM " + ", ".join(f"votes v{n}" for n in range(6))
Until = Callable[[Callable[[], bool]], None]


def _made(server: Served, **parameters: str) -> str:
    """The address of a new job, below that of the service."""
    given = {"LANG": "ADQL", "FORMAT": "csv", **parameters}
    status, body = server.post("/async", **given)
    assert status == 200, body
    number = re.search(rb"<uws:jobId>(\w+)<", body)
    assert number is not None
    return f"/async/{number[1].decode()}"


def _phase(server: Served, job: str) -> str:
    return server.get(f"{job}/phase")[1].decode()


def test_a_job_waits_to_be_begun_and_its_result_to_be_fetched(served: Served, until: Until) -> None:
    job = _made(served, QUERY="SELECT COUNT(*) AS n FROM galaxies", RUNID="mine & yours")
    assert _phase(served, job) == "PENDING"
    assert served.get(f"{job}/results/result")[0] == 404
    assert b"mine &amp; yours" in served.get(job)[1]
    served.post(f"{job}/phase", PHASE="RUN")
    until(lambda: _phase(served, job) == "COMPLETED")
    assert served.get(f"{job}/results/result") == (200, b"n\n30\n")
    assert b"/results/result" in served.get(f"{job}/results")[1]
    assert served.post(f"{job}/parameters", QUERY="SELECT 1")[0] == 400  # too late
    assert served.post(f"{job}/phase", PHASE="RUN")[0] == 400
    assert job.split("/")[2].encode() in served.get("/async")[1]
    served.post(job, ACTION="DELETE")
    assert served.get(job)[0] == 404


def test_a_job_can_be_changed_aborted_and_fail(served: Served, until: Until) -> None:
    job = _made(served, QUERY="SELECT 1")
    served.post(f"{job}/parameters", QUERY=_LONG)
    served.post(f"{job}/executionduration", EXECUTIONDURATION="99")
    assert served.get(f"{job}/executionduration")[1] == b"99"
    served.post(f"{job}/phase", PHASE="RUN")
    until(lambda: _phase(served, job) == "EXECUTING")
    served.post(f"{job}/phase", PHASE="ABORT")
    assert _phase(served, job) == "ABORTED"
    bad = _made(served, QUERY="SELECT ra FROM galaxie", PHASE="RUN")
    until(lambda: _phase(served, bad) == "ERROR")
    assert b"column 16: no table galaxie" in served.get(f"{bad}/error")[1]
    assert b"no table galaxie" in served.get(bad)[1]
    short = _made(served, QUERY=_LONG)
    served.post(f"{short}/executionduration", EXECUTIONDURATION="1")
    served.post(f"{short}/phase", PHASE="RUN")
    until(lambda: _phase(served, short) == "ERROR")
    assert b"more than 1 s" in served.get(f"{short}/error")[1]
    for bad_value in ({"PHASE": "FLY"}, {"EXECUTIONDURATION": "x"}, {"DESTRUCTION": "soon"}):
        assert served.post(job, **bad_value)[0] == 400


def test_long_jobs_leave_a_process_for_who_waits(served: Served, until: Until) -> None:
    jobs = [_made(served, QUERY=_LONG, PHASE="RUN") for _ in range(2)]
    until(lambda: _phase(served, jobs[0]) == "EXECUTING")
    assert served.csv("SELECT COUNT(*) FROM galaxies")[1] == ["30"]
    assert [_phase(served, job) for job in jobs] == ["EXECUTING", "QUEUED"]
    served.post(f"{jobs[0]}/phase", PHASE="ABORT")
    until(lambda: _phase(served, jobs[1]) == "EXECUTING")
    served.post(f"{jobs[1]}/phase", PHASE="ABORT")


def test_a_destruction_is_never_later_than_jobs_are_kept(served: Served) -> None:
    job = _made(served, QUERY="SELECT 1")
    served.post(f"{job}/destruction", DESTRUCTION="2999-01-01T00:00:00Z")
    assert not served.get(f"{job}/destruction")[1].startswith(b"2999")
    request = urllib.request.Request(served.url + job, method="DELETE")
    served.ask(request)
    assert served.get(job)[0] == 404


def test_who_waits_is_answered_when_the_phase_changes(served: Served) -> None:
    job = _made(served, QUERY="SELECT 1", PHASE="RUN")
    begun = time.monotonic()
    while b">COMPLETED<" not in served.get(job, WAIT="60")[1]:
        assert time.monotonic() - begun < 60
    pending = _made(served, QUERY="SELECT 1")
    assert b">PENDING<" in served.get(pending, WAIT="1")[1]


def test_jobs_and_results_outlive_the_server(full_gz: Path, tmp_path: Path, until: Until) -> None:
    with serving(full_gz, tmp_path / "jobs") as server:
        done = _made(server, QUERY="SELECT 1 AS n", PHASE="RUN")
        until(lambda: _phase(server, done) == "COMPLETED")
        at_work = _made(server, QUERY=_LONG, PHASE="RUN")
        until(lambda: _phase(server, at_work) == "EXECUTING")
        server.process.kill()
        server.process.wait()
    with serving(full_gz, tmp_path / "jobs", "--job-timeout", "3600") as server:
        assert server.get(f"{done}/results/result") == (200, b"n\n1\n")
        until(lambda: _phase(server, at_work) == "EXECUTING")
        server.post(f"{at_work}/destruction", DESTRUCTION="2001-01-01T00:00:00Z")
        said = server.stop()
    assert "ended by SIGTERM" in said
    with serving(full_gz, tmp_path / "jobs") as server:
        until(lambda: server.get(at_work)[0] == 404)
        assert _phase(server, done) == "COMPLETED"
