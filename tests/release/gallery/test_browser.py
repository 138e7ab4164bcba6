"""The gallery in a real browser, read from disk: pointer, keyboard, phone, no script."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.made.browsers import DESKTOP, NEEDS_CHROMIUM, PHONE, chromium, fits
from tests.made.galleries import GALAXIES, NAMES, UNEXPLAINED, UNSEEN, gallery_catalogue, write_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
else:
    Browser = Page = Any


KEYS = ("rank", "name", "label", "votes", "observed", "predicted", "loss")

pytestmark = [
    pytest.mark.slow,
    NEEDS_CHROMIUM,
]

Opener = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    write_page(gallery_catalogue(folder), folder / "page", title="A gallery of <hostile> names")
    return folder / "page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Opener]:
    """Opens the page; afterwards nothing was complained of and nothing fetched from elsewhere."""
    contexts, wrong = [], []

    def note(request: Any) -> None:
        if not request.url.startswith(folder.as_uri()):
            wrong.append(request.url)

    def open_page(fragment: str = "", size: tuple[int, int] = DESKTOP, **options: Any) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(**{"viewport": viewport, **options})
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        page.on("request", note)
        page.goto((folder / "index.html").as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def galaxies(folder: Path) -> list[dict[str, Any]]:
    """What the page's script is given, in the order of rank."""
    text = (folder / "index.html").read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text.split('id="data">')[1].split("</script>")[0])
    return found


def names(page: Page) -> list[str]:
    """Galaxies of the list as they stand, the hidden ones left out."""
    cells = page.locator("#table tbody tr:visible th bdi")
    texts: list[str] = cells.evaluate_all("cells => cells.map((cell) => cell.textContent)")
    return texts


def selected(page: Page) -> str:
    """The galaxy of the detail, which is that of the one marked row."""
    marked = page.locator("#table tr[aria-current] bdi").evaluate_all(
        "cells => cells.map((cell) => cell.textContent)"
    )
    heading = page.locator("#heading").text_content()
    assert marked == [heading]
    return str(heading)


def active(page: Page) -> str:
    """What has the focus: an element's name and text."""
    return str(
        page.evaluate(
            "document.activeElement.tagName + ' ' + document.activeElement.textContent.trim()"
        )
    )


def overlays(page: Page) -> dict[str, bool]:
    """Which layers of the large image can be seen."""
    return {
        what: page.locator(f"#stage .{what}").is_visible()
        for what in ("image", "increase", "decrease", "outline")
    }


# --- sorting and filtering


def test_every_column_sorts_both_ways(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    page = opened()

    def value(place: int) -> Any:
        return place if key == "rank" else galaxies[place][key]

    for key in KEYS:
        button = page.locator(f"[data-key={key}]")
        header = page.locator("th", has=button)
        found = {}
        for _ in range(2):
            button.click()
            direction = header.get_attribute("aria-sort")
            assert page.locator("#table [aria-sort]").count() == 1
            found[direction] = names(page)
        assert set(found) == {"ascending", "descending"}
        if key == "name":
            plain = [name for name in found["ascending"] if re.fullmatch(r"G\d{4}", name)]
            assert plain == sorted(plain)
            assert found["descending"] == found["ascending"][::-1]
            continue
        for direction, backwards in (("ascending", False), ("descending", True)):
            places = sorted(range(GALAXIES), key=value, reverse=backwards)  # equals by rank
            assert found[direction] == [galaxies[place]["shown"] for place in places], key


def test_headers_sort_by_keyboard(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    page = opened()
    page.locator("[data-key=votes]").focus()
    page.keyboard.press("Enter")
    most = max(one["votes"] for one in galaxies)
    assert page.locator("#table tbody tr").first.locator("td.votes").text_content() == f"{most:g}"
    page.keyboard.press("Space")
    least = min(one["votes"] for one in galaxies)
    assert page.locator("#table tbody tr").first.locator("td.votes").text_content() == f"{least:g}"


def test_filters_leave_what_fits(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    page = opened()
    everything = [one["shown"] for one in galaxies]

    def expect(fits: Callable[[dict[str, Any]], bool]) -> None:
        left = [one["shown"] for one in galaxies if fits(one)]
        assert names(page) == left
        words = f"{len(left)} of {GALAXIES} galaxies"
        assert page.locator("#count").text_content() == words
        page.locator("button[type=reset]").click()
        page.get_by_text(f"{GALAXIES} galaxies", exact=True).wait_for()
        assert names(page) == everything

    page.fill("#search", "g000")
    expect(lambda one: "G000" in one["name"])
    page.fill("#search", "<IMG")
    expect(lambda one: one["name"] == NAMES[0])
    question, label = galaxies[0]["question"], galaxies[0]["label"]
    page.select_option("#answer", f"question:{question}")
    expect(lambda one: one["question"] == question)
    page.select_option("#answer", f"label:{label}")
    expect(lambda one: one["label"] == label)
    votes = sorted(one["votes"] for one in galaxies)[GALAXIES // 2]
    page.fill("#least-votes", f"{votes:g}")
    expect(lambda one: one["votes"] >= votes)
    loss = round(galaxies[GALAXIES // 2]["loss"], 2)
    page.fill("#least-loss", str(loss))
    expect(lambda one: one["loss"] >= loss)


def test_nothing_left_is_told(opened: Opener) -> None:
    page = opened()
    assert page.locator("#none").is_hidden()
    page.fill("#search", "no such galaxy")
    assert names(page) == []
    assert page.locator("#none").text_content() == "No galaxy matches these filters."
    page.locator("body").press("j")  # nowhere to go
    page.fill("#search", "")
    assert len(names(page)) == GALAXIES


# --- selecting


def test_a_click_shows_the_galaxy(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    page = opened()
    assert selected(page) == galaxies[0]["shown"]
    page.locator("#table tbody tr").nth(5).click()
    one = galaxies[5]
    assert selected(page) == one["shown"]
    summary = str(page.locator("#summary").text_content())
    assert f"{one['count']:g} of {one['total']:g} volunteers asked {one['question']}" in summary
    assert f"a fraction of {one['observed']:.2f}" in summary
    assert f"predicted {one['predicted']:.2f}" in summary
    assert f"{one['lo']:.2f}–{one['hi']:.2f}" in summary
    assert page.locator("#heading").is_visible()


def test_the_list_is_walked_with_the_keyboard_alone(
    opened: Opener, galaxies: list[dict[str, Any]]
) -> None:
    page = opened()
    for _ in range(40):
        page.keyboard.press("Tab")
        if active(page).startswith("TR"):
            break
    assert active(page).startswith("TR")
    shown = [one["shown"] for one in galaxies]
    for key, place in (
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("j", 3),
        ("k", 2),
        ("ArrowUp", 1),
        ("End", GALAXIES - 1),
        ("ArrowDown", GALAXIES - 1),
        ("Home", 0),
        ("PageDown", 10),
        ("PageUp", 0),
        ("j", 1),
    ):
        page.keyboard.press(key)
        assert selected(page) == shown[place], key
        assert shown[place] in active(page)
    outlined = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outlined != "none"
    page.keyboard.press("Enter")
    assert active(page) == f"H2 {shown[1]}"
    page.keyboard.press("Escape")
    assert active(page).startswith("TR")
    page.keyboard.press("/")
    page.keyboard.type("jk4o")  # text, not commands
    assert page.locator("#search").input_value() == "jk4o"
    assert selected(page) == shown[1]


def test_keys_follow_the_order_and_the_filter(
    opened: Opener, galaxies: list[dict[str, Any]]
) -> None:
    page = opened()
    page.locator("[data-key=votes]").click()
    page.fill("#search", "G00")
    page.locator("#search").blur()
    order = names(page)
    assert 3 < len(order) < GALAXIES
    walked = []
    for _ in order:
        page.keyboard.press("j")
        walked.append(selected(page))
    first = order.index(galaxies[0]["shown"]) + 1 if galaxies[0]["shown"] in order else 0
    assert walked[: len(order) - first] == order[first:]


def test_a_link_leads_to_the_galaxy_and_survives_reload(opened: Opener) -> None:
    for name in NAMES[:7]:
        page = opened(f"#galaxy={quote(name, safe='')}")
        assert page.locator("#heading").text_content() == name
        page.reload()
        assert selected(page) == name
        page.context.close()
    page = opened()
    page.locator("#table tbody tr").nth(3).click()
    chosen, address = selected(page), page.url
    assert opened("#" + address.split("#")[1]).locator("#heading").text_content() == chosen
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != address)
    after = selected(page)
    page.reload()
    assert selected(page) == after
    page.locator("#table tbody tr").nth(7).click()
    page.go_back()
    assert selected(page) == after


@pytest.mark.parametrize("fragment", ["#galaxy=nobody", "#galaxy=%E0%A4%A", "#galaxy=", "#other"])
def test_a_link_to_no_galaxy_does_no_harm(
    opened: Opener, galaxies: list[dict[str, Any]], fragment: str
) -> None:
    page = opened(fragment)
    assert selected(page) == galaxies[0]["shown"]
    told = "not on this page" in str(page.locator("#count").text_content())
    assert told == fragment.startswith("#galaxy=")


# --- the detail


def explained(galaxies: list[dict[str, Any]]) -> int:
    return next(place for place, one in enumerate(galaxies) if one["map"] and one["outline"])


def test_overlays_are_switched_by_buttons_and_keys(
    opened: Opener, galaxies: list[dict[str, Any]]
) -> None:
    page = opened(f"#galaxy={quote(galaxies[explained(galaxies)]['name'], safe='')}")
    expected = {
        "image": {"increase": False, "decrease": False},
        "increase": {"increase": True, "decrease": False},
        "decrease": {"increase": False, "decrease": True},
        "both": {"increase": True, "decrease": True},
    }
    assert overlays(page) == {"image": True, "outline": True, **expected["both"]}
    pictures = {}
    for key, (mode, visible) in enumerate(expected.items(), start=1):
        page.locator(f"[data-mode={mode}]").click()
        assert overlays(page) == {"image": True, "outline": True, **visible}
        pictures[mode] = page.locator("#stage").screenshot()
        page.keyboard.press("4" if mode != "both" else "1")
        page.keyboard.press(str(key))
        assert overlays(page) == {"image": True, "outline": True, **visible}
        pressed = page.locator("[data-mode][aria-pressed=true]")
        assert pressed.evaluate_all("all => all.map((b) => b.dataset.mode)") == [mode]
    assert len(set(pictures.values())) == 4
    page.keyboard.press("o")
    assert not overlays(page)["outline"]
    assert page.locator("#outline").get_attribute("aria-pressed") == "false"
    page.keyboard.press("2")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert overlays(page) == {"image": True, "outline": False, **expected["increase"]}
    loaded = "images => images.every((image) => image.complete && image.naturalWidth > 0)"
    assert page.locator("#stage img").evaluate_all(loaded)


def test_votes_and_predictions_are_drawn_where_they_are(
    opened: Opener, galaxies: list[dict[str, Any]]
) -> None:
    page = opened()
    answers = [answer for q in galaxies[0]["questions"] for answer in q["answers"]]
    charts = page.locator("#facts .chart svg")
    assert charts.count() == len(answers)
    for place, (_, _, observed, predicted, lo, hi, _) in enumerate(answers):
        chart = charts.nth(place)
        box = chart.bounding_box()
        assert box is not None
        words = str(chart.get_attribute("aria-label"))
        assert f"predicted {predicted:.2f}" in words
        for what, value in (("dot", observed), ("mean", predicted)):
            mark = chart.locator(f".{what}")
            if value is None:
                assert mark.count() == 0
                continue
            at = mark.bounding_box()
            assert at is not None
            middle = at["x"] + at["width"] / 2 - box["x"]
            assert middle / box["width"] == pytest.approx(value, abs=0.02)
        # the box of the line itself, without the width of its stroke
        bar = chart.locator(".range").evaluate("(bar) => [bar.getBBox().x, bar.getBBox().width]")
        ends = [bar[0] / box["width"], (bar[0] + bar[1]) / box["width"]]
        assert ends == pytest.approx([lo, hi], abs=0.01)
    chosen = page.locator("#facts tr.chosen")
    assert chosen.locator("th").text_content() == galaxies[0]["answer"]


def test_counterparts_are_shown_and_lead_on(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    place = explained(galaxies)
    page = opened(f"#galaxy={quote(galaxies[place]['name'], safe='')}")
    cards = page.locator("#counterparts .card")
    assert cards.count() == 2
    for number, other in enumerate(galaxies[place]["counterparts"]):
        words = str(cards.nth(number).text_content())
        assert f"{other['role']} counterpart" in words
        assert other["shown"] in words
        close = "" if other["close"] is None else f"; {other['close']}"
        assert f"{other['asked']:.2f}{close}" in words
        assert "not close" not in words, "a note says it once"
        assert f"{other['predicted']:.2f}" in words
        asked = f"{other['count']:g} of {other['total']:g}" if other["total"] else "nobody was"
        assert asked in words
        pictures = cards.nth(number).locator("img").count()
        assert pictures == (other["image"] is not None)
    cards.nth(1).locator("button").click()
    assert selected(page) == galaxies[place]["counterparts"][1]["shown"]
    page.go_back()
    assert selected(page) == galaxies[place]["shown"]


def test_what_is_missing_is_said(opened: Opener) -> None:
    page = opened()
    for number in sorted({*UNSEEN, *UNEXPLAINED}):
        page.locator("#table tbody tr", has=page.get_by_text(NAMES[number], exact=True)).click()
        if number in UNSEEN:
            assert page.get_by_text("No image of this galaxy was ingested.").is_visible()
        if number in UNEXPLAINED:
            assert page.get_by_text("No saliency map of this galaxy is stored.").is_visible()
            assert not page.locator("[data-mode=increase]").is_enabled()


def test_names_are_text(opened: Opener) -> None:
    page = opened()
    assert sorted(names(page)) == sorted(NAMES)
    assert page.locator("img[src=x]").count() == 0
    assert fits(page)
    page.locator("#table tbody tr", has=page.get_by_text("x" * 300)).click()
    assert selected(page) == "x" * 300
    assert fits(page)
    for pane in ("#list", "#detail"):
        assert page.locator(pane).evaluate("(pane) => pane.scrollWidth <= pane.clientWidth")


# --- phone, dark, no script


def test_on_a_phone_the_detail_takes_the_place_of_the_list(
    opened: Opener, galaxies: list[dict[str, Any]]
) -> None:
    page = opened(size=PHONE, is_mobile=True, has_touch=True)
    assert fits(page)
    assert page.locator("#heading").is_hidden()
    for place in (8, 2):
        row = page.locator("#table tbody tr").nth(place)
        row.tap()
        assert page.locator("#heading").text_content() == galaxies[place]["shown"]
        box = page.locator("#heading").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < PHONE[1] / 2
        assert page.locator("#table").is_hidden()
        assert fits(page)
        page.locator("#after").tap()
        assert page.locator("#heading").text_content() == galaxies[place + 1]["shown"]
        page.locator("#back").tap()
        page.locator("#heading").wait_for(state="hidden")
        assert page.locator("#table tbody tr").nth(place + 1).is_visible()
    page.locator("#table tbody tr").nth(4).tap()
    page.go_back()
    page.locator("#table").wait_for()
    assert page.locator("#heading").is_hidden()


def test_on_a_phone_nothing_overflows(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    page = opened(size=PHONE, is_mobile=True, has_touch=True)
    page.locator("#table tbody tr").first.tap()
    for one in galaxies:
        assert page.locator("#heading").text_content() == one["shown"]
        assert fits(page)
        page.locator("#after").tap()


def test_a_narrow_screen_is_enough(opened: Opener) -> None:
    page = opened(size=(320, 568))
    assert fits(page)
    page.locator("#table tbody tr").first.click()
    assert fits(page)


def test_in_the_dark_the_page_is_dark(opened: Opener) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)
        shades[scheme] = page.evaluate(
            "['backgroundColor', 'color'].map((key) => getComputedStyle(document.body)[key])"
        )
    assert shades["light"] != shades["dark"]
    assert shades["light"][0] == "rgb(255, 255, 255)"


def test_without_script_there_is_the_table(opened: Opener, galaxies: list[dict[str, Any]]) -> None:
    for size in (DESKTOP, PHONE):
        page = opened(size=size, java_script_enabled=False)
        rows = page.locator("#table tbody tr")
        assert rows.count() == GALAXIES
        for place, one in enumerate(galaxies):
            assert rows.nth(place).is_visible()
            text = str(rows.nth(place).text_content())
            assert one["shown"] in text
            assert f"{one['loss']:.2f}" in text
        assert page.locator("#controls").is_hidden()
        assert page.locator("#detail").is_hidden()
        box = page.locator("#table").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= size[0]
