"""A process that has loaded everything, and forks one for each query.

It has one thread and no connection, so that forking is safe and takes milliseconds. Whoever started
it sends it queries, each with the pipe to answer into, over a socket; it says how each process
ended. It ends, and all of them with it, when the socket is closed.
"""

import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from zoolens.catalog.serve.asking import (
    Limits,
    Product,
    Request,
    packed,
    reason_of,
    scratch_of,
    unpacked,
)

PRODUCTS = "products"  # what the command line says of such a process
Run = Callable[[str, Request, Limits, Connection], None]
# What the libraries would load in every process anew, when they need it.
_LATER = ("pandas", "astropy.io.fits", "astropy.io.votable.tree", "pyarrow.dataset")
# And what takes seconds, for what is made of a galaxy, and of its pixels: while nothing is ordered
# of a process that is for these, else with the first order.
_OF_PRODUCTS = ("zoolens.catalog.serve.products.making", "numba.typed")
_OF_PIXELS = (
    *("zoolens.catalog.explain.model", "zoolens.catalog.images.loading"),
    *("galaxy_datasets.transforms", "scipy.linalg"),
    *(f"PIL.{kind}ImagePlugin" for kind in ("Bmp", "Gif", "Jpeg", "Ppm", "Png")),
)
_IDLE = 0.05  # seconds without an order
MESSAGE = 1 << 20  # bytes, more than any query takes


@dataclass(frozen=True)
class Order:
    """What is asked of this process: a query of a number, or that its process ends."""

    number: int
    catalog: str = ""
    asked: Request | None = None
    limits: Limits | None = None

    def packed(self) -> bytes:
        """The order as JSON."""
        made = {**vars(self), "asked": self.asked and packed(self.asked)}
        made["limits"] = self.limits and asdict(self.limits)
        return json.dumps(made, ensure_ascii=False).encode(errors="replace")

    @classmethod
    def unpacked(cls, data: bytes) -> "Order":
        """The order that `packed` made."""
        given: dict[str, Any] = json.loads(data)
        if given["asked"] is None:
            return cls(given["number"])
        asked, limits = unpacked(given["asked"]), Limits(**given["limits"])
        return cls(given["number"], given["catalog"], asked, limits)


def serve(orders: socket.socket, *, products: bool = False) -> None:
    """Fork a process for each query, until the socket is closed.

    products: what is made of galaxies' pixels will be ordered, so that what it needs is loaded.
    """
    from zoolens.catalog.serve.adql.translate import translate
    from zoolens.catalog.serve.child import run  # here, so that who orders need not load it
    from zoolens.catalog.store.published import published

    for module in _LATER:
        import_module(module)
    translate("SELECT 1", published(), 1)  # which loads much, too
    tempfile.gettempdir()  # now, so that it is one for all, be the disk full later
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    numbers: dict[int, int] = {}  # by process
    later = [*_OF_PRODUCTS, *_OF_PIXELS] if products else []
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        selector.register(reading, selectors.EVENT_READ)
        while True:
            found = selector.select(_IDLE if later else None)
            if not found:
                import_module(later.pop(0))
            for key, _ in found:
                if key.fd == reading:
                    os.read(reading, 4096)
                elif not _obey(orders, numbers, run):
                    for process in numbers:
                        os.kill(process, signal.SIGKILL)
                    return
            _report(orders, numbers)


def _obey(orders: socket.socket, numbers: dict[int, int], run: Run) -> bool:
    """Do what was ordered next; False if there will be no more."""
    data, files, _, _ = socket.recv_fds(orders, MESSAGE, 1)
    if not data:
        return False
    order = Order.unpacked(data)
    if order.asked is None or order.limits is None:
        for process, number in numbers.items():
            if number == order.number:
                os.kill(process, signal.SIGKILL)
        return True
    if isinstance(order.asked, Product):
        for module in (*_OF_PRODUCTS, *(_OF_PIXELS if order.asked.sees else ())):
            import_module(module)
    process = os.fork()
    if not process:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orders.close()
        run(order.catalog, order.asked, order.limits, Connection(files[0], readable=False))
    os.close(files[0])
    numbers[process] = order.number
    return True


def _report(orders: socket.socket, numbers: dict[int, int]) -> None:
    """Say of the processes that have ended how they did."""
    while numbers:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        reason = reason_of(process)
        said = {
            "number": numbers.pop(process),
            "code": os.waitstatus_to_exitcode(status),
            "reason": reason.read_text(encoding="utf-8") if reason.exists() else "",
        }
        shutil.rmtree(scratch_of(process), ignore_errors=True)
        orders.send(json.dumps(said).encode())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), products=sys.argv[2:] == [PRODUCTS])
