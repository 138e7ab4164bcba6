"""Who holds a file: the locks on it that the system lists.

Linux lists all (`/proc/locks`), those of this machine alone: what another machine holds over NFS
does not show, and of a process in another container neither number nor name.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_LOCKS = Path("/proc/locks")
# 1: POSIX  ADVISORY  WRITE 1234 fd:00:131073 0 EOF; a lock that is waited for has an arrow
_LOCK = re.compile(r"\d+: \w+ +\w+ +(READ|WRITE) +(-?\d+) +(\w+):(\w+):(\d+) ")
_NAME = "zoolens"


@dataclass(frozen=True)
class Holder:
    """A process that has a lock on a file.

    process: its number; None if it is in another container. command: the program's name, of
    Zoolens with the command that it runs; None if it is not to be known. here: whether it is
    this process.
    """

    process: int | None
    writes: bool
    command: str | None
    here: bool

    def __str__(self) -> str:
        who = "a process elsewhere" if self.process is None else f"process {self.process}"
        name = "this one" if self.here else self.command
        named = f" ({name})" if name else ""
        return f"{who}{named} {'writes' if self.writes else 'reads'}"


def holders(path: Path) -> list[Holder] | None:
    """The processes that have a lock on a file; None where the system does not tell."""
    try:
        facts, lines = path.stat(), _LOCKS.read_text().splitlines()
    except OSError:
        return None
    return _held(facts, lines)


def _held(facts: os.stat_result, lines: Iterable[str]) -> list[Holder]:
    """Of lines of `/proc/locks` the holders of one file."""
    file = (os.major(facts.st_dev), os.minor(facts.st_dev), facts.st_ino)
    writes: dict[int, bool] = {}
    for line in lines:
        found = _LOCK.match(line)
        if found and (int(found[3], 16), int(found[4], 16), int(found[5])) == file:
            process = int(found[2])
            writes[process] = writes.get(process, False) or found[1] == "WRITE"
    return [
        Holder(process, wrote, _command(process), process == os.getpid())
        if process > 0
        else Holder(None, wrote, None, False)
        for process, wrote in writes.items()
    ]


def _command(process: int) -> str | None:
    """`zoolens predict`, or another program's name; without arguments, which are private."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
        name = Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return None
    for before, word in pairwise(words):
        if Path(before).name == _NAME and re.fullmatch(r"[a-z]+", word):
            return f"{_NAME} {word}"
    return name
