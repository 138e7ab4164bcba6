"""The site of the documentation: what `make site` builds from the Markdown that GitHub shows."""

import importlib.metadata
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import zoolens

project = "Zoolens"
release = importlib.metadata.version("zoolens")
root_doc = "docs/README"
exclude_patterns = ["docs/site"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_copybutton"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
templates_path = ["site/templates"]
nitpicky = True

myst_heading_anchors = 4
nb_execution_mode = "off"  # CI runs the notebooks; what they gave is kept in them

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
default_role = "autolink"  # in docstrings `name` is a link where there is such a name
# What belongs to others, and types that are ours alone, have no page here.
nitpick_ignore_regex = [("py:.*", r"(?!zoolens\.\w+$).*")]

copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = "Zoolens"
html_static_path = ["site/static"]
html_extra_path = ["site/extra"]
html_css_files = ["zoolens.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {root_doc: []}
html_theme_options = {
    "header_links_before_dropdown": 5,
    "icon_links": [],
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}

_ENTRY = re.compile(r"^\| \[([^\]]+)\]\(([\w./-]+)\.(?:md|ipynb)\) \|", re.M)


def _navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """The table of a folder's README, which is its index, as the site's navigation too."""
    entries = _ENTRY.findall(source[0]) if name.endswith("/README") else []
    if entries:
        listed = "\n".join(f"{title} <{page}>" for title, page in entries)
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"


def _commands(app: Sphinx) -> None:
    """A page for each command, written by Typer."""
    from typer.cli import get_docs_for_click
    from typer.main import get_command

    from zoolens import cli

    group = get_command(cli.app)
    context = group.make_context("zoolens", [], resilient_parsing=True)
    folder = Path(app.srcdir) / "docs" / "reference" / "commands"
    folder.mkdir(exist_ok=True)
    for name, command in group.commands.items():
        page = get_docs_for_click(obj=command, ctx=context, name=name, call_prefix="zoolens")
        (folder / f"{name}.md").write_text(page)


def _public(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """A link to the public name of what an annotation names by the module that it lies in."""
    place, _, name = node.get("reftarget", "").rpartition(".")
    if zoolens._PLACES.get(name) != place:
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"zoolens.{name}", node, content
    )


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("builder-inited", _commands, priority=100)  # before autosummary
    app.connect("source-read", _navigation)
    app.connect("missing-reference", _public)
