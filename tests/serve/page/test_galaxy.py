"""The page's view of one galaxy in a real browser: maps, votes, counterparts, what is like it."""

import io
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image

from tests.made.browsers import NEEDS_CHROMIUM, PHONE, fits
from tests.made.galleries import NAMES, UNEXPLAINED, UNSEEN
from tests.serve.conftest import Served
from tests.serve.page.conftest import TOKEN, Opener, root

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]

GALAXY = "G0007"
SIGNS = {"increase": "2", "decrease": "3"}
_RECEIVED = "performance.getEntriesByType('resource').map((one) => one.name).join(' ')"
Shown = Callable[..., Any]


@pytest.fixture(scope="module")
def warm(hostile: Served) -> Served:
    """The server after it has loaded what makes images and maps, which takes a while."""
    request = urllib.request.Request(root(hostile) + f"galaxies/{GALAXY}/maps.json")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    assert hostile.ask(request)[0] == 200
    return hostile


@pytest.fixture
def shown(opened: Opener, warm: Served) -> Shown:
    """Opens the view of a galaxy, and waits until all of it is there."""

    def show(name: str = GALAXY, *, whole: bool = True, **options: Any) -> Any:
        wanted = {"galaxy": name, **options.pop("state", {})}
        credentials = {"username": "", "password": TOKEN}
        page = opened("#" + urlencode(wanted), server=warm, http_credentials=credentials, **options)
        if whole:
            there(page)
        return page

    return show


def there(page: Any) -> None:
    """Wait until a galaxy, and what is compared with it, is shown."""
    page.locator("#galaxy:not([aria-busy])").wait_for()
    page.locator("#caption:not(:empty)").wait_for()
    page.locator("#counterparts:not([aria-busy])").wait_for(state="attached")
    page.locator("#similar-galaxies a, #similar-words:not(:empty)").first.wait_for()


def state(page: Any) -> dict[str, str]:
    """What the address says."""
    return {key: value for key, (value,) in parse_qs(urlsplit(page.url).fragment).items()}


def layers(page: Any) -> set[str]:
    """Which layers of the large image can be seen."""
    names = ("image", "increase", "decrease", "outline")
    return {name for name in names if page.locator(f"#stage .{name}").is_visible()}


def drawn(page: Any, sign: str) -> np.ndarray:
    """The pixels of an overlay, (side, side, 4)."""
    pixels = page.locator(f"#stage canvas.{sign}").evaluate(
        "one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"
    )
    side = round((len(pixels) / 4) ** 0.5)
    return np.array(pixels, np.uint8).reshape(side, side, 4)


def test_overlays_are_drawn_as_the_server_draws_them(shown: Shown, hostile: Served) -> None:
    page = shown()
    for of in ("fraction", "concentration"):
        page.locator("#map-of").select_option(of)
        label = page.locator("#map-answer").input_value()
        for sign in SIGNS:
            address = f"{root(hostile)}galaxies/{GALAXY}/maps/{label}.png?of={of}&show={sign}"
            answer = page.request.get(address)
            wanted = np.asarray(Image.open(io.BytesIO(answer.body()))).astype(int)
            found = drawn(page, sign).astype(int)
            assert wanted[..., 3].max() > 100
            assert np.abs(found[..., 3] - wanted[..., 3]).max() <= 1
            seen = wanted[..., 3] > 60  # a canvas holds colours times opacity, rounded
            assert np.abs(found - wanted)[seen].max() <= 4


def test_maps_are_switched_without_asking(shown: Shown) -> None:
    page = shown()
    while "of=cross_entropy" not in page.evaluate(_RECEIVED):  # the last that is loaded ahead
        page.wait_for_timeout(50)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for key, expected in {
        "1": {"image"},
        "2": {"image", "increase"},
        "4": {"image", *SIGNS},
    }.items():
        page.keyboard.press(key)
        assert layers(page) - {"outline"} == expected
    page.keyboard.press("o")
    assert "outline" not in layers(page)
    first = page.locator("#summary").text_content()
    page.locator("#facts tbody tr:not(.chosen) button").first.click()
    assert page.locator("#summary").text_content() != first
    assert page.evaluate("document.activeElement.closest('tr').className") == "chosen"
    page.locator("#map-of").select_option("concentration")
    assert "concentration" in page.locator("#caption").text_content()
    assert page.locator("#galaxy-said").text_content().endswith("Map of its concentration: both.")
    assert [one for one in asked if "/maps" in one or f"{GALAXY}/image" in one] == []


def test_the_address_leads_back_to_what_is_shown(shown: Shown) -> None:
    page = shown()
    page.locator("#facts tbody tr:not(.chosen) button").first.click()
    page.keyboard.press("3")
    page.locator("#map-of").select_option("concentration")
    page.locator("#exchange-one").check()
    slider = page.locator("#sliders input").first
    slider.focus()
    slider.press("End")
    page.wait_for_url("**g-weights=*")
    there(page)
    whole = [
        page.locator(part).inner_text()
        for part in ("#summary", "#caption", "#facts", "#counterparts", "#sliders")
    ]
    again = shown(state={key: value for key, value in state(page).items() if key != "galaxy"})
    assert state(again) == state(page)
    assert layers(again) == layers(page)
    for part, text in zip(
        ("#summary", "#caption", "#facts", "#counterparts", "#sliders"), whole, strict=True
    ):
        assert again.locator(part).inner_text() == text


def test_it_says_that_it_loads_and_an_unknown_one_stays_unknown(
    shown: Shown, opened: Opener
) -> None:
    page = shown(whole=False, told=True)
    there(page)
    assert page.locator("#loading").text_content() == ""
    page.route("**/votes.json", lambda route: None)
    page.evaluate(f"writeState({{ galaxy: '{UNSEEN}' }})")
    page.get_by_text("Loading…").wait_for()
    page.unroute("**/votes.json")
    page.evaluate("writeState({ galaxy: 'nobody' })")
    page.locator("#galaxy-trouble").get_by_text("nobody").wait_for()
    page.evaluate("location.hash = '#view=galaxies'")  # nothing may be complained of
    page.locator("#galaxy").wait_for(state="hidden")


def test_weights_change_counterparts_and_can_be_reset(shown: Shown) -> None:
    page = shown()
    asked: list[dict[str, list[str]]] = []

    def note(request: Any) -> None:
        if "/counterparts?" in request.url:
            asked.append(parse_qs(urlsplit(request.url).query))

    page.on("request", note)
    slider = page.locator("#sliders input").first
    question = slider.get_attribute("data-question")
    slider.focus()
    for _ in range(6):  # faster than they are asked for
        slider.press("ArrowRight")
    page.wait_for_url("**g-weights=*")
    there(page)
    assert [one.get(f"weight.{question}") for one in asked] == [["4"]]
    link = page.locator("#counterparts-table").get_attribute("href")
    assert f"weight.{question}=4" in link
    assert "RESPONSEFORMAT=votable" in link
    page.locator("#weights-reset").click()
    page.wait_for_url(lambda url: "g-weights" not in url)
    there(page)
    assert [key for key in asked[-1] if key.startswith("weight.")] == []
    assert slider.input_value() == "1"


def test_similar_galaxies_lead_on_and_back(shown: Shown) -> None:
    page, unseen = shown(), {NAMES[number] for number in UNSEEN}
    for step in (1, 2):
        names = page.locator("#similar-galaxies bdi").all_text_contents()
        name = next(name for name in names if name not in unseen)
        page.locator("#similar-galaxies a", has=page.get_by_text(name, exact=True)).first.click()
        page.locator("#heading", has_text=name).wait_for()
        there(page)
        crumbs = page.locator("#trail li").all_text_contents()
        assert crumbs[0] == GALAXY
        assert crumbs[-1] == name
        assert len(crumbs) == step + 1
    page.locator("#trail a").first.click()
    page.locator("#heading", has_text=GALAXY).wait_for()
    assert not page.locator("#trail").is_visible()
    page.go_back()
    page.locator("#trail li:nth-child(3)").wait_for()


def test_neighbours_by_keyboard(shown: Shown) -> None:
    page = shown(state={"votes": "0"})
    page.keyboard.press("2")
    rows = page.locator("#rows th bdi").all_text_contents()
    place = rows.index(GALAXY)
    by = 1 if place + 1 < len(rows) else -1
    page.keyboard.press("j" if by == 1 else "k")
    page.locator("#heading", has_text=rows[place + by]).wait_for()
    there(page)
    assert page.evaluate("document.activeElement.id") == "heading"
    assert layers(page) <= {"image", "increase", "outline"}  # the mode is kept, and in the address
    assert state(page)["g-show"] == "increase"


def test_what_is_lacking_is_said_and_the_rest_is_there(shown: Shown) -> None:
    for number in sorted({*UNEXPLAINED, *UNSEEN}):
        page = shown(NAMES[number])
        assert page.locator("#heading").text_content() == NAMES[number]
        assert page.locator("#facts tbody tr").count() > 4
        assert page.locator("#similar-galaxies a").count() > 2
        if number in UNSEEN:
            words = page.locator("#stage").text_content()
            assert words == "No image of this galaxy was ingested."
        if number in UNEXPLAINED:
            assert page.locator("#caption").text_content() == f"{NAMES[number]} has no maps"
            assert not page.locator("#modes [data-mode]").first.is_enabled()
    page = shown("G0070", whole=False, told=True)
    assert "G0007" in page.locator("#galaxy-trouble:not(:empty)").text_content()
    assert not page.locator("#facts").is_visible()


def test_where_no_galaxy_has_an_image_none_is_asked_for(opened: Opener, warm: Served) -> None:
    credentials = {"username": "", "password": TOKEN}
    page = opened("#page=99", server=warm, http_credentials=credentials)  # of no rows
    page.evaluate("about.images = 0")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(f"location.hash = '#galaxy={GALAXY}'")
    there(page)
    assert page.locator("#similar-galaxies .blank").count() > 2
    assert page.locator("#counterparts .card .blank").count() > 1
    others = [url for url in asked if url.endswith("image.png") and GALAXY not in url]
    assert others == []


def test_questions_that_were_not_reached_are_pale_and_say_so(shown: Shown) -> None:
    page = shown()
    heads = page.locator("#facts tbody").evaluate_all(
        "all => all.map((one) => [one.className, one.rows[0].textContent])"
    )
    pale = [name == "pale" for name, _ in heads]
    assert any(pale)
    assert not all(pale)
    assert pale == ["not reached" in words for _, words in heads]
    assert all("reach" in words for _, words in heads)


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), ((1280, 900), "light")])
def test_accessible_in_any_size_and_light(shown: Shown, size: tuple[int, int], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = shown(size=size, color_scheme=scheme, bypass_csp=True)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert fits(page)


def test_links_lead_to_files(shown: Shown) -> None:
    page = shown()
    links = page.locator("#links a").evaluate_all("all => all.map((one) => one.href)")
    own = [link for link in links if "/galaxies/" in link]
    kinds = [page.request.get(link).headers["content-type"] for link in own]
    assert kinds == ["image/png", "application/fits", "application/x-votable+xml"]
    assert any(quote(GALAXY) in link and "/datalink/links?ID=" in link for link in links)
