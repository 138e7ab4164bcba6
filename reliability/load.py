"""Fifty clients at once, for minutes, with queries of every kind: what they get, what it takes.

The figures are kept in `reliability/results/load.json` where the load was of full length.
"""

import http.client
import json
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.service import Wrong, alive, descriptors, memory, nothing_left, processes, served
from reliability.surroundings import surroundings
from reliability.world import World
from tests.made.serving import Served

FULL_SECONDS = 600.0
SECONDS = FULL_SECONDS  # how long, which `python -m reliability --seconds` changes
CLIENTS = 50
KEPT = Path(__file__).parent / "results" / "load.json"
_FORMS = ("csv", "votable", "votable/td", "json", "fits", "parquet")
_QUERIES = (
    "SELECT COUNT(*) AS n FROM galaxies",
    "SELECT TOP 20 rank, iauname, label, weighted_ce FROM worst ORDER BY rank",
    "SELECT iauname FROM galaxies WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(100, 0, 40))",
    "SELECT * FROM votes",
    "SELECT label, AVG(fraction) AS m FROM predictions GROUP BY label ORDER BY label",
    "SELECT TOP 5 g.iauname, similarity(g.iauname, w.iauname, a.question) AS s FROM galaxies AS g, "
    "worst AS w JOIN answers AS a USING (label) WHERE w.rank = 1 ORDER BY s DESC",
    "SELECT TOP 3 iauname, saliency_map(iauname, label) AS m FROM saliency_stats",
    "SELECT * FROM TAP_SCHEMA.columns",
    "SELECT ra FROM galaxie",  # which is not there
    "SELECT a.label FROM votes a, votes b, votes c WHERE a.fraction + b.fraction > 3",  # for long
)
_OTHERS = ("/tables", "/capabilities", "/availability", "/examples", "/async")


@dataclass
class _Seen:
    """What clients saw: statuses, and seconds of answers."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, status: str, seconds: float) -> None:
        with self.lock:
            self.statuses[status] += 1
            self.seconds.append(seconds)


def _load(case: Case, world: World, folder: Path) -> Verdict:
    """All clients are answered, and afterwards the server takes what it took before."""
    try:
        with served(world, folder, "--timeout", "20") as server:
            figures = _figures(server, folder, case.seed)
    except (Wrong, OSError) as error:
        return failed(str(error))
    if SECONDS >= FULL_SECONDS:
        KEPT.write_text(json.dumps({**surroundings(), **figures}, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    wrong = {status for status in figures["statuses"] if status not in ("200", "400", "503")}
    if wrong:
        return failed(f"answered {', '.join(sorted(wrong))}: {figures['statuses']}")
    if figures["memory_after"] > 1.5 * figures["memory_before"] + 50e6:
        return failed(
            f"memory: {figures['memory_before']:,} then {figures['memory_after']:,} bytes"
        )
    return Verdict(Outcome.HELD, events=figures["requests"])


def _figures(server: Served, folder: Path, seed: int) -> dict[str, Any]:
    for _ in range(10):
        alive(server)
    before = {
        "descriptors_before": descriptors(server),
        "memory_before": memory(server),
        "processes_before": len(processes(server)),
    }
    seen, most, end = _Seen(), Counter[str](), time.monotonic() + SECONDS
    threads = [
        threading.Thread(
            target=_client, args=(server, seen, end, random.Random(f"{seed}/{number}"))
        )
        for number in range(CLIENTS)
    ]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.5)
        most["processes"] = max(most["processes"], len(processes(server)))
        most["descriptors"] = max(most["descriptors"], descriptors(server))
        most["memory"] = max(most["memory"], memory(server))
    took = time.monotonic() - begun
    nothing_left(server, folder, before["descriptors_before"])
    alive(server)
    centiles = statistics.quantiles(seen.seconds, n=100)
    return {
        "clients": CLIENTS,
        "seconds": round(took, 1),
        "requests": len(seen.seconds),
        "a_second": round(len(seen.seconds) / took, 1),
        "statuses": dict(sorted(seen.statuses.items())),
        "median_seconds": round(centiles[49], 3),
        "centile_99_seconds": round(centiles[98], 3),
        **before,
        **{f"{what}_at_most": number for what, number in sorted(most.items())},
        "descriptors_after": descriptors(server),
        "memory_after": memory(server),
        "processes_after": len(processes(server)),
    }


def _client(server: Served, seen: _Seen, end: float, chance: random.Random) -> None:
    """Ask one thing after the other; now and then by a new connection."""
    where = urlsplit(server.url)
    connection = None
    while time.monotonic() < end:
        if connection is None:
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)
        begun = time.monotonic()
        try:
            connection.request("GET", where.path + _asked(chance))
            answer = connection.getresponse()
            answer.read()
            status = str(answer.status)
        except http.client.IncompleteRead:
            status = "broken off"
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        seen.add(status, time.monotonic() - begun)
        if not status.isdecimal() or chance.random() < 0.2:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()


def _asked(chance: random.Random) -> str:
    if chance.random() < 0.15:
        return chance.choice(_OTHERS)
    weights = [10] * (len(_QUERIES) - 1) + [1]
    (query,) = chance.choices(_QUERIES, weights)
    return "/sync?" + urlencode({"LANG": "ADQL", "QUERY": query, "FORMAT": chance.choice(_FORMS)})


JOBS: dict[str, Job] = {"50 clients": Job(_load, ("full",), share=0.001, isolated=False)}
