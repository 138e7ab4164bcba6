"""What the page sends to TOPCAT and its like, by a real hub with SAMP's Web Profile."""

import threading
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.made.browsers import NEEDS_CHROMIUM
from tests.serve.conftest import Served
from tests.serve.page.conftest import root

samp_hub = pytest.importorskip("pyvo.samp.hub", reason="pyvo has no SAMP")
samp = pytest.importorskip("pyvo.samp")

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]

HUB = "http://localhost:21012"  # where the Web Profile has it
TAKEN = ("table.load.votable", "image.load.fits")


class Consent(samp_hub.WebProfileDialog):  # type: ignore[name-defined]
    """In place of the window in which the hub's user lets a page in, or does not."""

    def __init__(self) -> None:
        super().__init__()
        self.lets, self.on = True, True
        self.asked: list[str] = []
        threading.Thread(target=self._poll, daemon=True).start()

    def show_dialog(self, name: str, *_: object) -> None:
        """Answer at once."""
        self.asked.append(name)
        self.consent() if self.lets else self.reject()

    def _poll(self) -> None:
        while self.on:
            self.handle_queue()
            time.sleep(0.02)


class Hub:
    """A hub at a free port, with one program that takes tables and images."""

    def __init__(self, folder: Path) -> None:
        self.consent = Consent()
        self._hub = samp_hub.SAMPHubServer(
            addr="127.0.0.1",
            lockfile=str(folder / "hub"),
            mode="multiple",
            web_profile_dialog=self.consent,
            web_port=0,
            pool_size=4,
        )
        self._hub.start()
        self.port = self._hub._web_port
        self._program = samp.SAMPIntegratedClient(name="Table tool", addr="127.0.0.1")
        self._program.connect(hub=self._hub, pool_size=4)
        self.got: list[tuple[str, dict[str, str]]] = []
        for mtype in TAKEN:
            self._program.bind_receive_notification(mtype, self._take)

    def _take(self, key: str, sender: str, mtype: str, params: Any, extra: Any) -> None:
        self.got.append((mtype, dict(params)))

    def names(self) -> list[str]:
        """Of the programs that are in."""
        found = map(self._program.get_metadata, self._program.get_registered_clients())
        return [one.get("samp.name", "") for one in found]

    def stop(self) -> None:
        """End all of it."""
        self.consent.on = False
        self._program.disconnect()
        self._hub.stop()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Hub(tmp_path)
        yield made
        made.stop()


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Any]:
    """The page of a catalogue with positions; its view of the first galaxy of the list."""
    context = browser.new_context()
    context.set_default_timeout(120_000)  # a server loads much for its first galaxy
    page = context.new_page()
    page.goto(root(served))
    page.locator("#rows th a").first.wait_for()
    yield page
    context.close()


def lead(page: Any, port: int | None) -> None:
    """Let the port of the Web Profile be a hub's, or nobody's."""

    def turn(route: Any) -> None:
        if port is None:
            route.abort("connectionrefused")
        else:
            route.continue_(url=route.request.url.replace(HUB, f"http://localhost:{port}"))

    page.context.route(f"{HUB}/**", turn)


def press(page: Any, name: str, said: str) -> str:
    """Press a button that sends; what is said of it at last."""
    page.get_by_role("button", name=name, exact=True).click()
    line = page.locator(f"{said}:not(:empty)", has_not_text="Asking")
    return str(line.text_content())


def test_tables_images_and_positions_are_sent(
    page: Any, hub: Hub, until: Callable[[Callable[[], bool]], None]
) -> None:
    lead(page, hub.port)
    assert press(page, "Send to TOPCAT", "#send-said") == "Sent the table to Table tool."
    until(lambda: len(hub.got) == 1)
    mtype, sent = hub.got[0]
    assert mtype == "table.load.votable"
    assert sent["name"].startswith("worst of ")
    table = urllib.request.urlopen(sent["url"], timeout=60).read()
    assert b"<VOTABLE" in table
    assert b"iauname" in table

    page.locator("#rows th a").first.click()
    page.locator("#samp-buttons button").first.wait_for()
    assert press(page, "Counterparts", "#samp-said") == "Sent the table to Table tool."
    until(lambda: len(hub.got) == 2)
    assert "/counterparts?" in hub.got[1][1]["url"]
    assert "RESPONSEFORMAT=votable" in hub.got[1][1]["url"]
    page.get_by_role("button", name="Position", exact=True).click()
    page.get_by_text("No program that is running takes the position").wait_for()
    assert hub.consent.asked == ["Zoolens"]  # once
    assert "Zoolens" in hub.names()
    page.evaluate("dispatchEvent(new Event('pagehide'))")  # as when it is left
    page.wait_for_timeout(100)  # in which what is asked of the hub is led there
    until(lambda: "Zoolens" not in hub.names())


def test_what_hinders_it_is_said(page: Any, hub: Hub) -> None:
    hub.consent.lets = False
    lead(page, hub.port)
    assert "did not let this page in" in press(page, "Send to TOPCAT", "#send-said")
    page.context.unroute(f"{HUB}/**")
    lead(page, None)
    page.locator("#send-said").evaluate("one => one.replaceChildren()")
    assert press(page, "Send to TOPCAT", "#send-said").startswith("No SAMP hub runs")
