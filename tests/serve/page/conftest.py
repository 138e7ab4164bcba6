"""The page in a real browser, of two servers: a small catalogue, and one of hostile names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.made.browsers import DESKTOP, chromium
from tests.made.galleries import gallery_catalogue
from tests.serve.conftest import Served, serving
from zoolens.catalog.output.html import TEMPLATES
from zoolens.catalog.store.store import Store

TOKEN = "sesame"  # of the second server
Opener = Callable[..., Any]


@pytest.fixture(scope="module")  # while it is open, no other test can run an event loop
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of galaxies whose names are markup, with images, without positions."""
    folder = tmp_path_factory.mktemp("hostile")
    path = gallery_catalogue(folder)
    with Store.open(path) as store:
        store.execute("UPDATE galaxy SET ra = NULL, dec = NULL")
    with serving(path, folder / "jobs", "--token", TOKEN) as server:
        yield server


@pytest.fixture(scope="session")
def of_release(full_cut: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a release."""
    with serving(full_cut, tmp_path_factory.mktemp("of-release") / "jobs") as server:
        yield server


def root(served: Served) -> str:
    """The address of the page."""
    return served.url.removesuffix("tap")


@pytest.fixture
def opened(browser: Any, served: Served) -> Iterator[Opener]:
    """Opens the page; afterwards nothing was complained of, and nothing fetched from elsewhere.

    told: whether what the server refuses is left out of that; images: whether those of galaxies
    may be fetched, of which the first takes seconds. sorts: rows that a query may sort.
    """
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_page(
        state: str = "",
        size: tuple[int, int] = DESKTOP,
        server: Served = served,
        told: bool = False,
        images: bool = True,
        sorts: int | None = None,
        **options: Any,
    ) -> Any:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(**{"viewport": viewport, **options})
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        if not images:
            page.route("**/galaxies/**", lambda route: route.abort())
        if sorts is not None:
            page.route("**/explore-query.js", lambda route: route.fulfill(body=_sorting(sorts)))

        def note(message: Any) -> None:
            of_image = "/galaxies/" in message.location["url"]  # which not all galaxies have
            refused = "Failed to load resource" in message.text and (told or of_image)
            if not refused:
                wrong.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))

        def ask(request: Any) -> None:
            if not request.url.startswith(root(server)):
                wrong.append(request.url)

        page.on("request", ask)
        page.goto(root(server) + state)
        settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _sorting(rows: int) -> str:
    script = (TEMPLATES / "explore-query.js").read_text(encoding="utf-8")
    assert script.count("MOST_SORTED = 2_000_000;") == 1
    return script.replace("MOST_SORTED = 2_000_000;", f"MOST_SORTED = {rows};")


def settled(page: Any) -> None:
    """Wait until what the page asked for is there."""
    page.locator("#list[aria-busy=false]").wait_for(state="attached")
    page.locator("#count", has_not_text="…").wait_for(state="attached")


def names(page: Any) -> list[str]:
    """Galaxies of the rows that are shown."""
    cells = page.locator("#rows th bdi")
    texts: list[str] = cells.evaluate_all("cells => cells.map((cell) => cell.textContent)")
    return texts


@pytest.fixture(scope="session")
def rows_of(full_gz: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """The rows of a query of the catalogue itself."""

    def asked(sql: str) -> list[tuple[Any, ...]]:
        with Store.open(full_gz, read_only=True) as store:
            return store.rows(sql)

    return asked
