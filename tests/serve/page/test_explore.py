"""The page to explore, in a real browser: what is shown is what the catalogue holds."""

import csv
import io
import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.made.browsers import DESKTOP, NEEDS_CHROMIUM, PHONE, fits
from tests.made.galleries import NAMES
from tests.serve.conftest import Served, serving
from tests.serve.page.conftest import TOKEN, Opener, names, root, settled
from zoolens.catalog.store.query import closed_query
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]

Rows = Callable[[str], list[tuple[Any, ...]]]
# Of each galaxy the costliest answer of questions that some were asked, of equals the first.
_WORST = """SELECT iauname FROM (
    SELECT DISTINCT ON (galaxy_id) l.* FROM losses l JOIN answers a ON a.label = l.label
    WHERE weighted_ce IS NOT NULL AND total_votes >= {least}
    ORDER BY galaxy_id, weighted_ce DESC, answer_id
) WHERE {condition} ORDER BY weighted_ce DESC, iauname"""
_CIRCLE = "circle=150,20,60"


def _worst(rows_of: Rows, condition: str = "true", least: int = 10) -> list[str]:
    return [name for (name,) in rows_of(_WORST.format(condition=condition, least=least))]


@pytest.mark.parametrize("least", [10, 20, 0])
def test_the_first_list_is_that_of_the_command(
    opened: Opener, rows_of: Rows, full_gz: Path, least: int
) -> None:
    page = opened("" if least == 10 else f"#votes={least}")
    with Store.open(full_gz, read_only=True) as store:
        ranked = rank_galaxies(store, 1000, min_votes=least).to_pylist()
    assert names(page) == [row["iauname"] for row in ranked] == _worst(rows_of, least=least)
    assert page.locator("#count").text_content() == f"{len(ranked)} rows"
    assert f"zoolens worst --min-votes {least}" in page.locator("#row-of").text_content()
    for shown, row in zip(page.locator("#rows tr").all(), ranked, strict=True):
        first = shown.locator("td").all_text_contents()
        assert first[0] == str(row["rank"])
        assert first[1].replace(" ", "_") == row["label"]
        assert float(first[2]) == pytest.approx(row["ce"], rel=5e-3)
        assert float(first[3]) == pytest.approx(row["weighted_ce"], rel=5e-3)
        assert first[4:6] == [f"{row['observed']:.2f}", f"{row['predicted']:.2f}"]
        assert first[6] == f"{row['votes']:g}"


@pytest.mark.parametrize(
    ("answer", "option"),
    [("question:bar", {"question": "bar"}), ("label:bar_strong", {"label": "bar_strong"})],
)
def test_of_some_answers_the_list_is_that_of_the_command(
    opened: Opener, full_gz: Path, answer: str, option: dict[str, str]
) -> None:
    page = opened(f"#answer={answer}")
    with Store.open(full_gz, read_only=True) as store:
        ranked = rank_galaxies(store, 1000, min_votes=10, **option)["iauname"].to_pylist()
    assert names(page) == ranked != []
    named = "--question bar" if "question" in option else "--answer bar_strong"
    assert f"--min-votes 10 {named}" in page.locator("#query").text_content()


def test_headers_sort_pages_turn_and_the_address_leads_back(opened: Opener, rows_of: Rows) -> None:
    page = opened("#view=losses&votes=0")
    page.locator("#head").get_by_role("button", name="observed").focus()
    page.keyboard.press("Enter")
    page.locator("#head [aria-sort=descending]", has_text="observed").wait_for()
    settled(page)
    page.keyboard.press("Enter")
    page.locator("#head [aria-sort=ascending]", has_text="observed").wait_for()
    settled(page)
    page.get_by_role("button", name="Next 100").click()
    page.get_by_text("rows 101–200 of").wait_for()
    expected = rows_of(
        "SELECT iauname FROM losses ORDER BY observed NULLS LAST, iauname, label "
        "LIMIT 100 OFFSET 100"
    )
    assert names(page) == [name for (name,) in expected]
    ((total,),) = rows_of("SELECT count(*) FROM losses")
    assert page.locator("#count").text_content() == f"rows 101–200 of {total}"
    page.reload()
    settled(page)
    assert names(page) == [name for (name,) in expected]
    page.go_back()
    page.get_by_text("rows 1–100 of").wait_for()


def test_sliders_leave_the_galaxies_within(opened: Opener, rows_of: Rows) -> None:
    page = opened()
    page.locator("[data-question=shape] summary").click()
    lowest = page.get_by_label("shape, smooth: predicted fraction, at least")
    lowest.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.get_by_label("shape: volunteers asked, at least").fill("15")
    page.keyboard.press("Enter")
    page.locator("[data-question=shape] .used", has_text="2 set").wait_for()
    settled(page)
    within = (
        "galaxy_id IN (SELECT galaxy_id FROM {} WHERE label = 'shape_smooth' AND {})".format(
            *("predictions", "fraction BETWEEN 0.2 AND 1")
        )
        + " AND galaxy_id IN (SELECT galaxy_id FROM votes WHERE question = 'shape' AND total >= 15)"
    )
    expected = _worst(rows_of, within)
    assert 0 < len(expected) < len(_worst(rows_of))
    assert names(page) == expected
    page.get_by_role("button", name="Reset").click()
    page.locator("#reset:disabled").wait_for()
    settled(page)
    assert names(page) == _worst(rows_of)


def test_a_mistake_in_a_condition_is_shown_at_its_place(opened: Opener, rows_of: Rows) -> None:
    page = opened(told=True)
    where = page.get_by_label("Condition, in ADQL")
    where.fill("observed > 0.1\nAND predikted < 0.5")
    where.press("Enter")
    error = page.locator("#where-error")
    error.wait_for()
    said = str(error.locator("span").text_content())
    assert said.startswith("Line 2, column 5: no column predikted; nearest: predicted")
    assert error.locator("pre").text_content() == "AND predikted < 0.5\n    ^"
    assert page.locator("#error").is_visible()
    for wrong, place in {
        "observed >": "At the end: something is missing",
        "observed > 0.1 ORDER BY ce": "Line 1, column 16: a condition has no ORDER BY",
        "observed > 0;": "Line 1, column 13: a condition has no ;",
        "observed > 0) OR (1 = 1": "Line 1, column 13: this ) closes nothing",
    }.items():
        where.fill(wrong)
        where.press("Enter")
        error.get_by_text(place).wait_for()
    where.fill("observed > 0.1 AND predicted < 0.5 -- nothing")
    where.press("Enter")
    error.wait_for(state="hidden")
    settled(page)
    assert names(page) == _worst(rows_of, "observed > 0.1 AND predicted < 0.5")


@pytest.mark.parametrize(
    ("where", "condition", "places"),
    [
        ("rank <= 4", "true", slice(0, 4)),
        ("observed > 0.1 AND rank BETWEEN 3 AND 5\nAND 9 > rank", "observed > 0.1", slice(2, 5)),
        ("label <> 'rank' AND \"rank\" > 5", "true", slice(5, None)),
        ("rank = 0", "true", slice(0, 0)),
    ],
)
def test_the_rank_is_asked_for_as_the_place_in_the_list(
    opened: Opener,
    rows_of: Rows,
    served: Served,
    full_gz: Path,
    where: str,
    condition: str,
    places: slice,
) -> None:
    page = opened(f"#where={urllib.parse.quote(where)}")
    expected = _worst(rows_of, condition)[places]
    assert names(page) == expected
    shown = page.locator("#rows td:first-child").all_text_contents()
    assert shown == [str(places.start + 1 + n) for n in range(len(expected))]
    assert len(served.csv(str(page.locator("#query").text_content()))) == 1 + len(expected)
    page.get_by_role("button", name="SQL", exact=True).click()
    sql = str(page.locator("#query").text_content()).split("<<'SQL'\n")[1].removesuffix("\nSQL")
    with closed_query(full_gz, sql) as answer:
        assert [row[0] for row in answer.rows] == expected


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("rank < 3 OR observed > 2", "Line 1, column 1: the rank is the place in this list"),
        ("observed > 0 AND\n(rank < ce)", "Line 2, column 2: the rank is the place in this list"),
        ("rank < 3 AND\nobserfed > 0", "Line 2, column 1: no column obserfed"),
    ],
)
def test_a_rank_that_is_no_place_is_said_where_it_stands(
    opened: Opener, where: str, said: str
) -> None:
    page = opened(f"#where={urllib.parse.quote(where)}", told=True)
    assert said in str(page.locator("#where-error span").text_content())


def test_a_circle_is_chosen_on_the_map_or_by_numbers(opened: Opener, rows_of: Rows) -> None:
    page = opened("#votes=0")
    for name, value in (("RA", "150"), ("Dec", "20"), ("Radius", "60")):
        page.get_by_label(name, exact=True).fill(value)
    page.keyboard.press("Enter")
    page.locator("#filters-number", has_text="2").wait_for(state="attached")
    settled(page)
    by_numbers = names(page)
    assert 0 < len(by_numbers) < len(_worst(rows_of, least=0))
    where = page.evaluate("MOLLWEIDE.forward(150, 20)")
    away = page.evaluate("MOLLWEIDE.forward(150, -39.5)")
    page.get_by_role("button", name="Clear").click()
    box = page.locator("#map").bounding_box()
    at = [
        (
            box["x"] + box["width"] * (0.5 + 0.495 * x),
            box["y"] + box["height"] / 2 - box["width"] * 0.495 * y,
        )
        for x, y in (where, away)
    ]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()
    page.locator("#filters-number", has_text="2").wait_for(state="attached")
    settled(page)
    assert float(page.locator("#sky-ra").input_value()) == pytest.approx(150, abs=1)
    assert float(page.locator("#sky-radius").input_value()) == pytest.approx(60, abs=2)
    assert names(page) == by_numbers


@pytest.mark.parametrize("view", ["losses", "worst"])
def test_all_rows_come_by_each_query_that_is_shown(
    opened: Opener, served: Served, full_gz: Path, rows_of: Rows, view: str
) -> None:
    condition = "weighted_ce > 0.1 AND label <> 'it''s zoolens.x LOG(' AND LOG(total_votes) > 1"
    page = opened(
        f"#view={view}&{_CIRCLE}&where={urllib.parse.quote(condition)}&p.shape_disk=0.1~1"
    )
    shown = {}
    for language in ("ADQL", "SQL", "Python"):
        page.get_by_role("button", name=language, exact=True).click()
        shown[language] = str(page.locator("#query").text_content())
    link = str(page.get_by_role("link", name="CSV").get_attribute("href"))
    status, body = served.get(link.removeprefix("tap"))
    assert status == 200
    names_, *rows = csv.reader(io.StringIO(body.decode()))
    of_page = f"{len(rows)} rows" if len(rows) <= 100 else f"rows 1–100 of {len(rows)}"
    assert page.locator("#count").text_content() == of_page
    assert rows
    assert served.csv(shown["ADQL"]) == [names_, *rows]
    sql = shown["SQL"].split("<<'SQL'\n")[1].removesuffix("\nSQL")
    name = names_.index("iauname")
    with closed_query(full_gz, sql) as answer:
        found = [str(row[name]) for row in answer.rows]
    assert found == [row[name] for row in rows]
    given: dict[str, Any] = {}
    code = shown["Python"].split("table = ")[0].split("import pyvo")[1]
    assert root(served) + "tap" in code
    calls = shown["Python"].replace("import pyvo", "").replace("import zoolens", "")

    class _Asked:
        def __init__(self, *_: Any) -> None:
            pass

        def search(self, query: str, maxrec: int) -> "_Asked":
            given["adql"] = query
            return self

        def sql(self, query: str) -> None:
            given["sql"] = query

        def to_table(self) -> None:
            pass

    class _Module:
        dal = type("dal", (), {"TAPService": _Asked})
        open = _Asked

    exec(calls, {"pyvo": _Module, "zoolens": _Module})
    assert given == {"adql": shown["ADQL"], "sql": sql}


def test_more_rows_than_can_be_sorted_are_had_as_they_lie(
    opened: Opener, served: Served, rows_of: Rows
) -> None:
    page = opened("#view=losses&votes=0&columns=label,ce", sorts=50)
    page.locator("#query", has_text="not sorted").wait_for()
    expected = rows_of("SELECT iauname, label FROM losses")
    assert f"-- not sorted: {len(expected)} rows" in page.locator("#query").text_content()
    link = str(page.get_by_role("link", name="CSV").get_attribute("href"))
    status, body = served.get(link.removeprefix("tap"))
    assert status == 200
    _, *rows = csv.reader(io.StringIO(body.decode()))
    assert sorted((name, label) for name, label, _ in rows) == sorted(expected)
    page.evaluate("location.hash = '#view=losses&votes=0&columns=label,ce&answer=label:bar_strong'")
    page.locator("#query", has_text="ORDER BY").wait_for()


def test_a_galaxy_is_opened_and_left_by_keyboard(opened: Opener, rows_of: Rows) -> None:
    page = opened(told=True)
    expected = _worst(rows_of)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#galaxy").wait_for()
    assert urllib.parse.quote(expected[1], safe="") in page.url
    page.keyboard.press("k")
    page.wait_for_url(f"**galaxy={urllib.parse.quote(expected[0], safe='')}*")
    slider = page.locator("#galaxy input[type=range]").first
    slider.focus()
    page.keyboard.press("j")  # keys of a slider are its own, but for this one
    page.keyboard.press("Escape")
    page.locator("#galaxy").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.textContent") == expected[0]
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.locator("#name").input_value() == "jk"


def test_hostile_names_are_text_and_a_token_is_asked_for(opened: Opener, hostile: Served) -> None:
    known = {"username": "me", "password": TOKEN}
    page = opened("#votes=0&columns=label", server=hostile, images=False, http_credentials=known)
    assert sorted(names(page)) == sorted(NAMES)
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("#sky-none").is_visible()
    assert page.locator("#map").is_hidden()
    assert page.locator("#rows img, #rows .blank").count() == len(NAMES)
    page.locator("#name").fill("<IMG")
    page.keyboard.press("Enter")
    page.get_by_text("1 row", exact=True).wait_for()
    assert names(page) == [NAMES[0]]
    page.get_by_role("button", name="Python").click()
    assert "session.auth" in str(page.locator("#query").text_content())
    assert hostile.ask(urllib.request.Request(root(hostile)))[0] == 401


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        ("#view=nothing&sort=-no&page=x&circle=1,2", ["view", "sort", "page", "circle"]),
        ("#votes=many&p.shape_smooth=9~&o.shape_square=0~1", ["votes", "p.shape_", "o.shape_"]),
        ("#%E0%A4%A", ["\ufffd"]),
        ("#page=99", []),
    ],
)
def test_what_of_an_address_makes_no_sense_is_said(
    opened: Opener, rows_of: Rows, state: str, wrong: list[str]
) -> None:
    page = opened(state)
    assert page.locator("#view").input_value() == "worst"
    assert names(page) == ([] if "page=99" in state else _worst(rows_of))
    said = str(page.locator("#misread").text_content())
    assert len(said.split("; ")) == max(len(wrong), 1)
    assert all(part in said for part in wrong)
    assert page.locator("#misread").is_visible() == bool(wrong)


def test_after_a_search_the_keys_lead_through_the_rows(opened: Opener) -> None:
    page = opened()
    page.keyboard.press("/")
    page.keyboard.type("J0000")
    page.keyboard.press("Enter")
    page.locator("#rows a:focus").wait_for()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == names(page)[1]


def test_a_release_shows_what_its_tables_say(
    opened: Opener, rows_of: Rows, of_release: Served
) -> None:
    page = opened(server=of_release)
    assert page.locator("#view").input_value() == "losses"
    assert "not compared" not in page.locator("#missing").text_content()
    page.locator("#rows th a").first.click()
    page.locator("#facts tbody").first.wait_for()
    assert page.locator("#released").is_visible()
    assert page.locator("#compared").is_hidden()
    ((name, ce),) = rows_of(
        "SELECT iauname, max(ce) FROM losses WHERE galaxy_id = (SELECT max_by(galaxy_id, "
        "weighted_ce) FROM losses WHERE total_votes >= 10) GROUP BY iauname"
    )
    assert page.locator("#heading").text_content() == name
    assert f"Loss {ce:.2f} nat" in page.locator("#summary").text_content()
    page.evaluate("location.hash = '#view=galaxies&p.shape_smooth=0.3~1'")
    page.locator("#filters-number", has_text="1").wait_for(state="attached")
    settled(page)
    within = rows_of(
        "SELECT iauname FROM predictions WHERE label = 'shape_smooth' AND fraction >= 0.3"
    )
    assert sorted(names(page)) == sorted(one for (one,) in within)


def test_a_newer_catalogue_is_noticed(
    opened: Opener, full_gz: Path, tmp_path: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    path = tmp_path / "gz.duckdb"
    shutil.copy(full_gz, path)
    with serving(path, tmp_path / "jobs", "--follow", "--every", "0.2") as server:
        page = opened(server=server)
        before = names(page)
        with Store.open(path) as store:
            store.execute("UPDATE galaxy SET iauname = 'New' WHERE iauname = ?", [before[0]])
        until(lambda: len(server.csv("SELECT ra FROM galaxies WHERE iauname = 'New'")) > 1)
        page.locator("#votes").fill("9")
        page.keyboard.press("Enter")
        page.locator("#newer", has_text="A newer catalogue is served").wait_for()
        settled(page)
        assert "New" in names(page)
        page.get_by_role("link", name="New").click()
        page.locator("#facts tbody").first.wait_for()
        with Store.open(path) as store:
            store.execute("UPDATE vote SET count = count + 40")
        until(lambda: float(server.csv("SELECT min(count) AS least FROM votes")[1][0]) >= 40)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        before_it = page.locator("#summary").text_content()
        page.get_by_role("button", name="Show this galaxy anew").click()
        page.wait_for_function(
            "(told) => byId('summary').textContent.length > 20 && "
            "byId('summary').textContent !== told",
            arg=before_it,
        )
        page.close()


_ASTRAY = """() => {
    const alone = getComputedStyle(byId("wide")).overflowX === "visible";
    const frame = alone ? byId("list") : byId("wide");
    const outside = frame.scrollWidth > frame.clientWidth;
    const told = !byId("further").hidden;
    frame.scrollLeft = 1e5;
    const kept = ["row-of", "query", "downloads", "columns-menu", "pages"];
    const astray = kept.filter((id) => {
        const { left, right } = byId(id).getBoundingClientRect();
        return left < 0 || right > innerWidth;
    });
    if (document.scrollingElement.scrollWidth > innerWidth) astray.push("the page");
    if (outside !== told) astray.push("what is said of it");
    const galaxy = document.querySelector("#rows .galaxy");
    if (galaxy && galaxy.getBoundingClientRect().left < 0) astray.push("the galaxy");
    frame.scrollLeft = 0;
    return astray;
}"""


def test_no_view_moves_the_page_sideways_at_any_width(opened: Opener) -> None:
    page = opened()
    wrong = []
    for view in page.evaluate("about.views.map((one) => one.name)"):
        page.evaluate("(view) => writeState({ view, columns: null, sort: null })", view)
        page.wait_for_timeout(50)
        settled(page)
        for width in (1280, 1024, 768, 400):
            page.set_viewport_size({"width": width, "height": 800})
            # two frames: the size is seen in the first, and said in the second
            page.evaluate(
                "() => new Promise((go) => requestAnimationFrame(() => setTimeout(go, 30)))"
            )
            if found := page.evaluate(_ASTRAY):
                wrong.append((view, width, found))
    assert wrong == []


def test_the_way_to_columns_out_of_sight(opened: Opener) -> None:
    page = opened("#view=runs", (900, 800))
    last = page.locator("#head th").last
    assert not last.evaluate("(one) => one.getBoundingClientRect().right <= innerWidth")
    for _ in range(4):
        if (button := page.locator("#further")).is_visible():
            button.click()
            page.wait_for_timeout(600)
    assert last.evaluate("(one) => one.getBoundingClientRect().right <= innerWidth + 1")


@pytest.mark.parametrize(
    ("state", "size", "scheme"),
    [
        ("", DESKTOP, "light"),
        (f"#{_CIRCLE}&where=wrong+wrong&p.shape_smooth=0.1~0.9", PHONE, "dark"),
    ],
)
def test_nothing_is_in_the_way_of_anybody(
    opened: Opener, state: str, size: tuple[int, int], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(state, size, color_scheme=scheme, told=True)
    if size == PHONE:
        page.locator("#filters > summary").click()
    page.locator("[data-question=shape] summary").click()
    page.locator("#columns-menu > summary").click()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert fits(page)
