import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pytest
from PIL import Image

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.html import Section, Shown, write_report

NASTY = "<script>alert('1')</script> & {{ 7 * 7 }}"


def _page(folder: Path) -> Path:
    figure = folder / "figures of 50%" / "a#b.png"
    figure.parent.mkdir(parents=True)
    Image.new("L", (500, 20)).save(figure, dpi=(250, 250))
    table = pa.table({"galaxy": [NASTY, "B"], "loss": [0.123456, None]})
    sections = [
        Section(NASTY, [NASTY], [(NASTY, table)], [Shown(figure, NASTY, NASTY)]),
        Section("More", links=[("the figure again", figure)]),
    ]
    page = folder / "pages" / "index.html"
    page.parent.mkdir()
    write_report(page, NASTY, NASTY, sections, NASTY)
    return page


def test_whatever_it_is_told_is_text(tmp_path: Path) -> None:
    text = _page(tmp_path).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "49" not in text
    assert unescape(text).count(NASTY) >= 8


def test_links_lead_to_the_files_wherever_both_are_moved(tmp_path: Path) -> None:
    page = _page(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    page = tmp_path / "there" / "pages" / page.name
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]+)"', text)
    files = [link for link in links if not link.startswith("#")]
    assert len(files) == 3
    assert all((page.parent / unquote(link)).is_file() for link in files)
    places = [link[1:] for link in links if link.startswith("#")]
    assert places == re.findall(r'id="([^"]+)"', text)


def test_figures_are_shown_a_quarter_larger_than_printed(tmp_path: Path) -> None:
    assert 'style="max-width: 2.50in"' in _page(tmp_path).read_text(encoding="utf-8")


def test_tables_show_what_is_missing(tmp_path: Path) -> None:
    cells = re.findall(r"<td>(.*?)</td>", _page(tmp_path).read_text(encoding="utf-8"))
    assert cells == ["0.123", "-"]


def test_a_folder_that_does_not_allow_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="could not be written"):
        write_report(tmp_path / "none" / "index.html", "A", "", [], "")
