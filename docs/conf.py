"""The site of the documentation: what `make site` builds from the Markdown that GitHub shows."""

import importlib.metadata
import sys
from pathlib import Path

_SITE = Path(__file__).parent / "site"
sys.path.insert(0, str(_SITE))

project = "Zoolens"
release = importlib.metadata.version("zoolens")
root_doc = "docs/README"
exclude_patterns = ["docs/site", "docs/notebooks/run"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "pages",
]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
templates_path = [str(_SITE / "templates")]
smartquotes = False  # quotation marks of examples in docstrings stay what they are
nitpicky = True

myst_heading_anchors = 4
# The Makefile says whether notebooks are run: each in an empty folder, as by who begins with it.
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 1800  # seconds a cell
nb_output_stderr = "remove"  # progress, and what libraries remark on

autodoc_member_order = "bysource"
# Of what is inherited, what is ours; members of `object` and the like are Python's.
autodoc_default_options = {"members": True, "inherited-members": "BaseException,tuple,Protocol"}
python_use_unqualified_type_names = True
# What belongs to others, and types that are ours alone, have no page here.
nitpick_ignore_regex = [("py:.*", r"(?!zoolens\.\w+$).*")]

copybutton_prompt_text = "$ "

html_theme = "pydata_sphinx_theme"
html_title = "Zoolens"
html_static_path = ["site/static"]
html_extra_path = ["site/extra"]
html_css_files = ["zoolens.css"]
html_show_sourcelink = False
html_copy_source = False
_ALONE = [root_doc, "docs/guide/start", "docs/map", "docs/cite", "CONTRIBUTING", "CHANGELOG"]
html_sidebars: dict[str, list[str]] = {page: [] for page in _ALONE}  # no pages are below them
html_theme_options = {
    "icon_links": [],
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
