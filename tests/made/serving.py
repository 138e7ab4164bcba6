"""A server as a person starts it, and what asks it."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 120.0  # seconds


@dataclass
class Served:
    """A server: its process, its address, and the file of its log."""

    process: "subprocess.Popen[str]"
    url: str
    log: Path

    def get(self, path: str, **parameters: str) -> tuple[int, bytes]:
        """The status and body of an answer to GET."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return self.ask(urllib.request.Request(self.url + path + query))

    def ask(self, request: urllib.request.Request) -> tuple[int, bytes]:
        """The status and body of an answer."""
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def post(self, path: str, **parameters: str) -> tuple[int, bytes]:
        """The status and body of an answer to POST."""
        data = urllib.parse.urlencode(parameters).encode()
        return self.ask(urllib.request.Request(self.url + path, data))

    def csv(self, query: str) -> list[list[str]]:
        """The answer to a query."""
        status, body = self.get("/sync", LANG="ADQL", FORMAT="csv", QUERY=query)
        assert status == 200, body
        return [line.replace('"', "").split(",") for line in body.decode().splitlines()]

    def logged(self) -> list[dict[str, object]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """End it and what it started by a signal, as a terminal does; what it said."""
        os.killpg(self.process.pid, number)
        _, said = self.process.communicate(timeout=_PATIENCE)
        return said


@contextmanager
def serving(catalog: Path, jobs: Path, *options: str) -> Iterator[Served]:
    """`zoolens serve` at a free port."""
    log = jobs.with_suffix(".log")
    command = [sys.executable, "-m", "zoolens", "serve", "--catalog", str(catalog), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--jobs", str(jobs), "--log", str(log), *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        process_group=0,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert " at http://" in line, line + process.stderr.read()
        yield Served(process, line.split(" at ")[1].strip(), log)
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
