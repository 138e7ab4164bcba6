"""What the site has beside the Markdown files: navigation, commands, Python's names."""

import inspect
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import zoolens
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.similarity.exchange import Exchange
from zoolens.jobs.reports import Report

_CHOICES = {"Exchange": Exchange, "Of": Of}
_COMMAND = re.compile(r"^\| `(zoolens (\w+)[^`]*)` \|", re.M)  # of the table of commands
_EMPTY_HEADER = re.compile(r"<th(?: [^>]*)?>(?:<p></p>)?</th>")
_ENTRY = re.compile(r"^\| \[([^\]]+)\]\(([\w./-]+)\.(?:md|ipynb)\) \|", re.M)
_TITLE = re.compile(r"^# .+\n", re.M)
_OPTION = re.compile(r"(?<![\w`-])--[a-z][a-z-]*(?![^`\n]*`)")
_QUOTED = re.compile(r"(?<![`:])`([^`]+)`(?!`)")


def navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Below the table of a folder's README, which is its index, the same as Sphinx's tree.

    A page goes by its own title; at the top, where there is little room, by the table's. Below the
    title of a notebook, what to run it by.
    """
    if name == "docs/reference/commands":
        source[0] = _COMMAND.sub(r"| [`\1`](commands/\2.md) |", source[0])
    if name.startswith("docs/notebooks/") and not name.endswith("/README"):
        file = f"{name.rpartition('/')[2]}.ipynb"
        source[0] = _TITLE.sub(rf"\g<0>\n{{download}}`{file} <run/{file}>`\n", source[0], count=1)
    if not name.endswith("/README"):
        return
    entries = [
        f"{title} <{page}>" if name == app.config.root_doc else page
        for title, page in _ENTRY.findall(source[0])
    ]
    source[0] += "\n".join(["", "```{toctree}", ":hidden:", "", *entries, "```", ""])


def commands(app: Sphinx) -> None:
    """A page for each command, written by Typer."""
    from typer.cli import get_docs_for_click
    from typer.main import get_command

    from zoolens import cli

    group: Any = get_command(cli.app)
    context = group.make_context("zoolens", [], resilient_parsing=True)
    folder = Path(app.srcdir) / "docs" / "reference" / "commands"
    folder.mkdir()
    for name, command in group.commands.items():
        for own in getattr(command, "commands", {}).values():
            own.short_help = own.help  # or it is cut
        title = f"zoolens {name}"
        page = get_docs_for_click(
            obj=command, ctx=context, name=name, call_prefix="zoolens", title=title
        )
        (folder / f"{name}.md").write_text(_OPTION.sub(r"`\g<0>`", page))


def notebooks(app: Sphinx) -> None:
    """Each notebook as Jupyter's own file too, in the folder `run` beside it."""
    import jupytext

    for page in (Path(app.srcdir) / "docs" / "notebooks").glob("*.md"):
        if page.name != "README.md":
            file = page.parent / "run" / f"{page.stem}.ipynb"
            file.parent.mkdir(exist_ok=True)
            jupytext.write(jupytext.read(page), file)


def docstring(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Our docstrings as Sphinx reads them.

    `name` is a link where it is public and else code; a paragraph of "parameter: what it is"
    is a list. What every report has is said as `Report` says it.
    """
    told = []
    text = "\n".join(lines) or _of_report(name)
    for paragraph in re.split(r"\n\n|(?<=\.)\s(?=Raises )", text):
        listed = _parameters(thing, paragraph) if callable(thing) else []
        text = "\n".join(f"* **{one}**: {said}" for one, said in listed) or paragraph
        told.append(_QUOTED.sub(lambda quoted: _shown(quoted[1], name), text))
    lines[:] = "\n\n".join(told).splitlines()


def signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, given: str | None, returned: Any
) -> tuple[str, Any] | None:
    """With the choices that there are in place of the name that we have for them."""
    if given is None:
        return None
    for alias, choices in _CHOICES.items():
        given = re.sub(rf"(?<=: ){alias}\b", str(choices).removeprefix("typing."), given)
    return ("" if thing is Report else given), returned  # of which nobody makes one


def members(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Show what a report has though it says no more of it than every report does.

    Fields of a named tuple are told by its class.
    """
    if isinstance(thing, property) and _of_report(name):
        return False
    return True if (thing.__doc__ or "").startswith("Alias for field number") else None


def _of_report(name: str) -> str:
    last = name.rpartition(".")[2]
    return "" if last.startswith("_") else inspect.getdoc(getattr(Report, last, None)) or ""


def _parameters(thing: Any, paragraph: str) -> list[tuple[str, str]]:
    """The parameters that a paragraph is about, with what it says of each; [] of another one."""
    try:
        one = "|".join(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return []
    names = rf"(?<!\S)((?:{one})(?:, (?:{one}))*): "
    before, *rest = re.split(names, " ".join(paragraph.split()))
    said = (text.strip().removesuffix(";") for text in rest[1::2])
    return [] if before else list(zip(rest[::2], said, strict=True))


def _shown(quoted: str, documented: str) -> str:
    """A link to a member of the class that is documented, or to a public name; or code."""
    name = quoted.removeprefix("zoolens.")
    owner = documented.split(".")[1]
    if isinstance(getattr(zoolens, owner), type) and hasattr(getattr(zoolens, owner), name):
        return f":py:obj:`{quoted} <zoolens.{owner}.{name}>`"
    return f":py:obj:`zoolens.{name}`" if name in zoolens._PLACES else f"``{quoted}``"


def public(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """A link to the public name of what an annotation names by the module that it lies in."""
    place, _, name = node.get("reftarget", "").rpartition(".")
    if zoolens._PLACES.get(name) != place:
        return None
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"zoolens.{name}", node, content
    )


def accessible(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Without headers that head nothing, and with names for what opens a part of the navigation."""
    if "body" in context:
        context["body"] = _EMPTY_HEADER.sub("<td></td>", context["body"])
    theme = context["generate_toctree_html"]

    def named(*arguments: Any, **settings: Any) -> str:
        made = str(theme(*arguments, **settings))
        return made.replace("<summary>", '<summary aria-label="pages below">')

    context["generate_toctree_html"] = named


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("builder-inited", commands, priority=100)
    app.connect("builder-inited", notebooks, priority=100)
    app.connect("source-read", navigation)
    app.connect("autodoc-process-docstring", docstring)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", members)
    app.connect("missing-reference", public)
    app.connect("html-page-context", accessible, priority=900)  # after the theme
    return {"parallel_read_safe": True}
