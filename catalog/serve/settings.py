"""How a catalogue is served: where, to whom, and what each may take."""

from dataclasses import dataclass, field

from zoolens.catalog.serve.asking import Limits


@dataclass(frozen=True)
class Settings:
    """How a catalogue is served.

    token: a word that whoever asks has to know, None for none; url: that by which others reach the
    server, None where it is the one that they ask. rows, most_rows: how many an answer has unless
    MAXREC asks for others, and at most; workers: queries at once. at_once, later: what a query may
    take by /sync, and by /async; upload: bytes of a request; keep: seconds that jobs are kept;
    disk: bytes of all jobs that are kept, with their results and uploads. rate: requests a second
    of one address, None for any; patience: seconds that a request may take to come, and that a
    connection may stand still.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    url: str | None = None
    rows: int = 100_000
    most_rows: int = 10_000_000
    workers: int = 2
    at_once: Limits = field(default_factory=Limits)
    later: Limits = field(default_factory=lambda: Limits(seconds=3600.0))
    upload: int = 32 << 20
    keep: int = 7 * 86_400
    disk: int = 20 * 10**9
    rate: float | None = None
    patience: float = 20.0
