"""The site of the documentation: no warning, no network, for every screen and reader."""

import inspect
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import zoolens
from tests.made.browsers import DESKTOP, NEEDS_CHROMIUM, PHONE, chromium, fits

ROOT = Path(__file__).resolve().parent.parent
START = "docs/README.html"
KINDS = [  # of pages
    START,
    "docs/guide/explain.html",
    "docs/dictionary.html",
    "docs/reference/commands/release.html",
    "docs/reference/python/zoolens.Catalog.html",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.published,
    pytest.mark.skipif(find_spec("sphinx") is None, reason="sphinx is not installed"),
]


class _Page(HTMLParser):
    """What a page links to, what it loads, and where it can be entered."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors = {"", "top"}
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and "href" in given:
            self.loads.append(given["href"])
        if "src" in given:
            self.loads.append(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        ["make", "--old-file=.venv/installed", "site", f"SITE={site}", "NOTEBOOKS=off"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return site


def test_outputs_of_notebooks_are_not_those_of_another_zoolens(tmp_path: Path) -> None:
    def cache() -> str:
        told = subprocess.run(
            [
                "make",
                "--dry-run",
                f"--makefile={ROOT / 'Makefile'}",
                "--old-file=.venv/installed",
                "site",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        (path,) = re.findall(r"nb_execution_cache_path=(\S+)", told.stdout)
        return path

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "job.py").write_text("SEED = 1\n")
    (tmp_path / "zoolens").mkdir()
    (tmp_path / "zoolens" / "jobs").symlink_to("../elsewhere")
    (tmp_path / "zoolens" / "__pycache__").mkdir()
    before = cache()
    (tmp_path / "zoolens" / "__pycache__" / "job.pyc").write_text("compiled")
    assert cache() == before
    (tmp_path / "elsewhere" / "job.py").write_text("SEED = 2\n")
    assert cache() != before


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    return {file: _Page(file) for file in site.rglob("*.html") if "_static" not in file.parts}


def test_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(
    pages: dict[Path, _Page],
) -> None:
    assert len(pages) > 100
    for file, page in pages.items():
        for target in page.links + page.loads:
            split = urlsplit(target)
            if split.scheme or split.netloc:
                assert target in page.links, f"{file} loads {target}"
                continue
            to = (file.parent / unquote(split.path)).resolve() if split.path else file
            assert to.exists(), f"{file}: {target}"
            if to in pages:
                assert unquote(split.fragment) in pages[to].anchors, f"{file}: {target}"


def test_every_public_name_has_a_page(site: Path) -> None:
    found = {file.stem for file in (site / "docs" / "reference" / "python").glob("*.html")}
    assert found == {f"zoolens.{name}" for name in dir(zoolens) if not name.startswith("_")}


def test_every_public_function_says_all_of_its_parameters(site: Path) -> None:
    for name in dir(zoolens):
        thing = getattr(zoolens, name)
        if callable(thing) and not isinstance(thing, type):
            page = (site / "docs" / "reference" / "python" / f"zoolens.{name}.html").read_text()
            text = " ".join(re.sub("<[^>]+>", "", page).split())
            for parameter in inspect.signature(thing).parameters:
                assert re.search(rf"[(,] ?{parameter}:", text), (name, parameter)


def test_every_command_says_all_of_its_options(site: Path) -> None:
    from typer.main import get_command

    from zoolens import cli

    for name, command in get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        text = (site / "docs" / "reference" / "commands" / f"{name}.html").read_text()
        for one in [command, *getattr(command, "commands", {}).values()]:
            for option in one.params:
                if not getattr(option, "hidden", False):
                    assert option.opts[0] in re.sub("<[^>]+>", "", text), (name, option)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@NEEDS_CHROMIUM
@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_pages_are_for_every_screen_and_reader(
    site: Path, browser: Any, size: tuple[int, int], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in KINDS:
        page.goto((site / name).as_uri())
        assert fits(page), name
        found = axe.Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]


@NEEDS_CHROMIUM
def test_the_start_is_found_and_so_is_what_is_searched_for(site: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_url(f"**/{START}")
    page.goto((site / "search.html").as_uri() + "?q=counterpart")
    page.locator("#search-results a", has_text="The words and the numbers").first.wait_for()
