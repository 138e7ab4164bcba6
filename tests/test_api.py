"""`zoolens` in Python: a catalogue to look at, and the jobs by name."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

import zoolens
from tests.made.catalogues import TOY, add_images, catalogue, random_concentrations, random_counts
from tests.made.images import picture
from zoolens.catalog import errors
from zoolens.catalog.errors import CatalogError, ImageRefused, QueryRefused, UnknownName
from zoolens.catalog.explain.rows import map_rows
from zoolens.catalog.explain.stack import saliency_stack
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.paths import BUNDLED_MODEL
from zoolens.catalog.store.store import Store

GALAXIES, SIDE = 6, 4
LACKING = slice(5, 8)  # `bar`, which the model does not have
UNEXPLAINED = "G0005"
PARTS = {"EvaluateReport"}  # hold something for other pages of Zoolens
HEAVY = {"torch", "faiss", "zoobot", "timm", "pandas", "numpy", "pyarrow", "duckdb", "matplotlib"}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored catalogue whose first galaxies are explained, the second one twice."""
    folder = tmp_path_factory.mktemp("api")
    path = catalogue(
        folder / "gz.duckdb",
        random_counts(GALAXIES, seed=3),
        concentrations=random_concentrations(GALAXIES, 1),
    )
    image = folder / "0.png"
    image.write_bytes(picture(side=48))
    with Store.open(path) as store, ImageReader() as reader:
        facts = vars(reader.inspect(str(image)))
        add_images(store, [{"galaxy_id": 0, "source": str(image), **facts}])
        predicted = store.newest_run("predict")
        for seed, ids in enumerate(([0, 1, 2, 3, 4], [1])):
            maps = _maps(seed, len(ids))
            config = {
                "predict_run": predicted,
                "seed": seed,
                "samples": 0,  # maps of fractions then follow from the stored ones
                "view": View(size=32).config(),
            }
            run = store.begin("explain", config)
            store.commit(run, "1", {"saliency_map": map_rows(ids, maps, 2 * maps, TOY)})
            store.finish(run)
    zoolens.score(path, weights="none")
    zoolens.index(path)
    return path


def _maps(seed: int, galaxies: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    maps = random.normal(size=(galaxies, len(TOY.labels), SIDE, SIDE)).astype(np.float32)
    maps[:, LACKING] = np.nan
    return maps


@pytest.fixture
def gz(path: Path) -> zoolens.Catalog:
    return zoolens.open(path)


def test_importing_loads_nothing_heavy() -> None:
    script = f"import sys, zoolens; dir(zoolens); print(sorted({HEAVY!r} & set(sys.modules)))"
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_name_is_there() -> None:
    for name in dir(zoolens):
        assert getattr(zoolens, name) is getattr(zoolens, name)
    assert zoolens.__version__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        zoolens.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_what_is_loaded_lazily() -> None:
    tree = ast.parse(Path(zoolens.__file__).read_text())
    stated = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {alias.asname for node in stated for alias in node.names if alias.asname}
    assert names | {"__version__"} == set(dir(zoolens))
    assert (Path(zoolens.__file__).parent / "py.typed").is_file()


def test_a_path_or_its_text_will_do(path: Path) -> None:
    query = "SELECT count(*) AS n FROM galaxies"
    for given in (path, str(path)):
        assert zoolens.open(given).sql(query)["n"].tolist() == [GALAXIES]
    text: Any = str(path)
    assert zoolens.worst(text, limit=1) == zoolens.worst(path, limit=1)


def test_what_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(zoolens.CatalogError, match="no catalogue at"):
        zoolens.open(tmp_path / "gz.duckdb")


def test_tables_come_as_asked_for(gz: zoolens.Catalog) -> None:
    query = "SELECT galaxy_id, iauname FROM galaxies ORDER BY 1 LIMIT 2"
    frame, table, arrays = (gz.sql(query, as_=form) for form in ("pandas", "arrow", "numpy"))
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(table, pa.Table)
    assert frame["iauname"].tolist() == table["iauname"].to_pylist() == ["G0000", "G0001"]
    np.testing.assert_array_equal(arrays["galaxy_id"], [0, 1])
    twice = gz.sql("SELECT 1 AS a, 2 AS a", as_="numpy")
    assert {name: column.tolist() for name, column in twice.items()} == {"a": [1], "a_1": [2]}
    with pytest.raises(UnknownName, match="no tables as 'polars'"):
        gz.sql(query, as_="polars")  # type: ignore[arg-type]


def test_views_are_described_without_a_query(gz: zoolens.Catalog) -> None:
    assert {"galaxies", "votes", "saliency"} <= set(gz.sql()["view"])


def test_queries_see_the_catalogue_alone(gz: zoolens.Catalog) -> None:
    mine = pd.DataFrame({"a": [1]})
    assert len(mine) == 1
    for query in ("SELECT * FROM mine", f"SELECT * FROM '{__file__}'", "DELETE FROM vote"):
        with pytest.raises(zoolens.CatalogError):
            gz.sql(query)
        with gz, pytest.raises(zoolens.CatalogError):
            gz.sql(query)
    with pytest.raises(QueryRefused, match="boom"):
        gz.sql("SELECT CASE WHEN range < 99000 THEN 1 ELSE error('boom') END FROM range(100000)")


@pytest.mark.slow
def test_the_ranking_and_counterparts_are_those_of_the_jobs(
    gz: zoolens.Catalog, path: Path
) -> None:
    ranking = gz.worst(3, min_votes=1, as_="arrow")
    assert ranking == zoolens.worst(path, limit=3, min_votes=1)
    name = ranking["iauname"][0].as_py()
    found = gz.similar(name, k=2)
    assert found.equals(zoolens.similar(path, name, k=2).table.to_pandas())
    assert gz.similar(name, k=2, answer="shape_disk")["counterpart"][0] == "selected"


def test_a_stack_is_that_of_the_store(gz: zoolens.Catalog, path: Path) -> None:
    names, labels = ["G0003", UNEXPLAINED, "G0001"], ["round_no", "shape_disk"]
    stack = gz.saliency(names, labels, of="fraction", size=9)
    with Store.open(path, read_only=True) as store:
        expected = saliency_stack(store, names, labels, of="fraction", size=9)
    np.testing.assert_array_equal(stack, expected)


def test_names_come_from_a_frame_too(gz: zoolens.Catalog) -> None:
    frame = gz.sql("SELECT iauname FROM galaxies WHERE galaxy_id < 2 ORDER BY galaxy_id")
    np.testing.assert_array_equal(
        gz.saliency(frame["iauname"], ["shape_disk"]),
        gz.saliency(["G0000", "G0001"], "shape_disk"),
    )


def test_maps_that_are_not_there_are_told(gz: zoolens.Catalog) -> None:
    with pytest.raises(UnknownName, match="no galaxy 'G9'"):
        gz.saliency("G9", "round_no")
    with pytest.raises(UnknownName, match="no answer 'round_maybe'"):
        gz.saliency("G0000", "round_maybe")
    with pytest.raises(UnknownName, match="no map of 'loss'"):
        gz.saliency("G0000", "round_no", of="loss")  # type: ignore[arg-type]
    with pytest.raises(zoolens.CatalogError, match="map of the fraction has no standard deviation"):
        gz.saliency("G0000", "round_no", of="fraction", sd=True)
    for galaxies, answers in ((UNEXPLAINED, "round_no"), ("G0000", "bar_weak"), ([], "round_no")):
        with pytest.raises(zoolens.CatalogError, match="none of these galaxies has a map"):
            gz.saliency(galaxies, answers)


def test_without_an_explain_run_it_says_so(tmp_path: Path) -> None:
    gz = zoolens.open(catalogue(tmp_path / "gz.duckdb", random_counts(1)))
    with pytest.raises(zoolens.CatalogError, match="no complete explain run"):
        gz.saliency("G0000", "shape_disk")


def test_an_image_lies_under_its_maps_or_is_as_stored(gz: zoolens.Catalog, path: Path) -> None:
    with Image.open(path.with_name("0.png")) as file:
        np.testing.assert_array_equal(gz.image("G0000", stored=True), np.asarray(file))
        np.testing.assert_array_equal(gz.image("G0000"), View(size=32).display(file))
    with pytest.raises(zoolens.CatalogError, match="G0001 has no image; add it with"):
        gz.image("G0001")


def test_a_notebook_shows_what_a_catalogue_holds(gz: zoolens.Catalog, path: Path) -> None:
    shown = gz._repr_html_()
    for word in (path.name, "ingest", "predict", "score", "explain", "current"):
        assert word in shown
    assert repr(gz) == f"zoolens.open({str(path)!r})"
    gone = zoolens.Catalog(path.with_name("<b>.duckdb"))._repr_html_()
    assert "no catalogue at" in gone
    assert "<b>" not in gone


def test_a_notebook_shows_galaxies_rankings_and_reports(gz: zoolens.Catalog, path: Path) -> None:
    galaxy = gz.galaxy("G0000")
    assert galaxy.image is not None
    assert galaxy.image.shape == (32, 32, 3)
    assert galaxy._repr_html_().count("data:image/png;base64,") == 1
    assert gz.galaxy("G0001").image is None
    assert ">nat<" in gz.worst(2, min_votes=1)._repr_html_()
    report = zoolens.similar(path, "G0000", answer="shape_disk", k=1)
    assert "observed counterparts" in report._repr_html_()
    assert report._repr_html_().count("<tr>") == 3
    checked = zoolens.verify(path)
    assert checked.summary in checked._repr_html_()
    assert checked._repr_html_().count("<tr>") == len(checked.remarked)


def test_a_name_may_hold_anything(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    path = catalogue(tmp_path / "gz.duckdb", random_counts(1))
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE galaxy SET iauname = ?", [hostile])
    gz = zoolens.open(path)
    shown = gz.galaxy(hostile)._repr_html_() + gz.sql("FROM galaxies")._repr_html_()
    assert "<img" not in shown
    assert "&lt;img src=x" in shown


def test_segments_lie_on_the_image(gz: zoolens.Catalog) -> None:
    found = gz.segments("G0000")
    assert found.neighbours.shape == gz.image("G0000").shape[:2]


def test_the_sky_is_that_of_the_galaxies_asked_for(gz: zoolens.Catalog) -> None:
    with pytest.raises(UnknownName, match="no galaxy 'G9'"):
        gz.sky("G9")
    places = gz.sql("SELECT ra, dec FROM galaxies WHERE iauname = 'G0001'")
    centre = gz.sky("G0001").target
    assert (centre.ra.deg, centre.dec.deg) == pytest.approx((places.ra[0], places.dec[0]), abs=1e-5)


def test_an_image_that_changed_is_refused(path: Path, tmp_path: Path) -> None:
    image = path.with_name("0.png")
    kept = image.read_bytes()
    image.write_bytes(picture(seed=1))
    try:
        with pytest.raises(ImageRefused, match="not the bytes that were ingested"):
            zoolens.open(path).image("G0000")
    finally:
        image.write_bytes(kept)


_WRITE = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute('CHECKPOINT')"


def _others_can_write(path: Path) -> bool:
    return subprocess.run([sys.executable, "-c", _WRITE, str(path)], stderr=-3).returncode == 0


@pytest.mark.slow
def test_an_idle_notebook_keeps_nobody_waiting(gz: zoolens.Catalog, path: Path) -> None:
    gz.sql("SELECT 1")
    assert _others_can_write(path)
    with gz:
        gz.sql("SELECT 1")
        assert not _others_can_write(path)
        gz.similar("G0000", answer="shape_disk")
        assert not _others_can_write(path)
        gz.close()
        assert _others_can_write(path)
        assert gz.sql("SELECT 1 AS one")["one"].tolist() == [1]
    assert _others_can_write(path)


@pytest.fixture(params=[False, True])
def notebook(request: pytest.FixtureRequest, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that a notebook has left open."""
    with duckdb.connect(str(path), read_only=request.param) as connection:
        yield connection


@pytest.mark.slow
def test_a_notebooks_own_connection_is_in_nobodys_way(
    gz: zoolens.Catalog, path: Path, notebook: duckdb.DuckDBPyConnection
) -> None:
    for _ in range(2):
        assert gz.sql("SELECT count(*) AS n FROM votes")["n"][0] > 0
        assert len(gz.worst(2)) == 2
        assert len(gz.similar("G0000", answer="shape_disk", k=1)) == 3
        assert gz.saliency("G0000", "shape_disk").shape == (1, 1, SIDE, SIDE)
        assert gz.image("G0000").shape == (32, 32, 3)
        with gz:
            assert gz.sql("SELECT count(*) AS n FROM votes")["n"][0] > 0
    assert notebook.execute("SELECT count(*) FROM galaxies").fetchall() == [(GALAXIES,)]


@pytest.mark.slow
def test_from_votes_to_a_drawn_explanation(tmp_path: Path) -> None:
    sky, path = tmp_path / "sky", tmp_path / "gz.duckdb"
    zoolens.simulate(sky, galaxies=6, size=64, workers=1)
    zoolens.ingest(path, sky / "votes.csv")
    zoolens.predict(path, str(BUNDLED_MODEL))
    zoolens.score(path)
    with zoolens.open(path) as gz:
        told = gz.explain(worst=1, of="fraction")
        name = gz.worst(1)["iauname"][0]
        assert gz.saliency(name, "smooth-or-featured_smooth", size=160).shape == (1, 1, 160, 160)
        assert gz.image(name).shape == (160, 160, 3)
    assert told.page is not None
    assert told.page.is_file()
    assert [file.suffix for file in told.figures] == [".png"]
    shown = told._repr_html_()
    assert shown.startswith("<img ")
    assert shown.count("data:image/webp;base64,UklG") == 1
    assert len(shown) < 1_000_000
    assert told.figures[0].stem in shown


def test_similar_keeps_the_file_where_the_index_is_current(path: Path) -> None:
    with zoolens.open(path) as gz:
        held = gz._held
        assert len(gz.similar("G0001", k=1)) == 3
        assert gz._held is held


def test_columns_of_one_name_are_numbered(
    gz: zoolens.Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "SELECT w.iauname, g.iauname FROM worst w JOIN galaxies g USING (galaxy_id)"
    for form in ("pandas", "arrow", "numpy"):
        table = gz.sql(query, as_=form)
        names = table.column_names if form == "arrow" else [*table]
        assert names == ["iauname", "iauname_1"]
    assert "numbered: iauname_1" in capsys.readouterr().err


def test_a_query_has_its_bounds(gz: zoolens.Catalog) -> None:
    query = "SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1"
    with pytest.raises(CatalogError, match=r"it took more than 0\.2 s"):
        gz.sql(query, timeout=0.2)


def _ours(annotation: str, module: str) -> Iterator[str]:
    """Classes of ours that an annotation names, in a module that imports them."""
    found = import_module(module)
    names = {name: (module, name) for name, thing in vars(found).items() if isinstance(thing, type)}
    for node in ast.walk(ast.parse(Path(found.__file__ or "").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {one.name: (node.module, one.name) for one in node.names}
    for name in re.findall(r"\w+", annotation):
        place, own = names.get(name, ("", ""))
        if place.startswith("zoolens"):
            thing = getattr(import_module(place), own, None)
            if isinstance(thing, type) and thing.__module__.startswith("zoolens"):
                yield thing.__name__


def _public() -> Iterator[tuple[str, Any]]:
    """Every public function and class with its name, and every public method of the latter."""
    for name in dir(zoolens):
        thing = inspect.unwrap(getattr(zoolens, name))
        if callable(thing):
            yield name, thing
        if isinstance(thing, type):
            for own, method in vars(thing).items():
                call = method.fget if isinstance(method, property) else method
                if inspect.isfunction(call) and not own.startswith("_"):
                    yield f"{name}.{own}", call


def _text(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def test_what_a_public_name_gives_is_a_public_name() -> None:
    """So that it can be written in an annotation, and has a page of the reference."""
    lacking = {
        (name, own)
        for name, call in _public()
        if not isinstance(call, type)
        for own in _ours(_text(call.__annotations__.get("return", "")), call.__module__)
        if own not in dir(zoolens)
    }
    assert lacking == {("Title.people", "Author")}  # for what writes a release


def test_the_fields_of_a_public_class_are_public_and_told() -> None:
    """As `name: what it is` in its docstring."""
    for name, made in _public():
        if is_dataclass(made) or hasattr(made, "_fields"):
            for field, annotation in made.__annotations__.items():
                if "ClassVar" in str(annotation):
                    continue
                told = rf"(?<!\w){field}(, \w+)*: "
                assert re.search(told, " ".join((made.__doc__ or "").split())), (name, field)
                lacking = {*_ours(_text(annotation), made.__module__)} - {*dir(zoolens)}
                assert not lacking or name in PARTS, (name, field, lacking)


def test_errors_that_docstrings_name_can_be_caught() -> None:
    for name, thing in _public():
        for raised in re.findall(r"Raises `(\w+)`", thing.__doc__ or ""):
            assert raised in dir(zoolens), name
    kinds = {
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and thing.__module__ == errors.__name__
    }
    assert kinds <= {*dir(zoolens)}
