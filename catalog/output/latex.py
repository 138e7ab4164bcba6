"""Tables in LaTeX, ruled by the package booktabs, whatever characters names hold."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_NEGATIVE = re.compile(r"-[\d.]")
_SPECIALS = re.compile("|".join(map(re.escape, _SPECIAL)))


def escape(text: str) -> str:
    """Text that LaTeX prints as it is; what cannot be printed becomes a question mark."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return _SPECIALS.sub(lambda found: _SPECIAL[found[0]], plain)


def cell(text: str) -> str:
    """A cell of a table, escaped, with a minus before a number, and a dash for a missing one."""
    if text == "-":
        return "--"
    return "$-$" + escape(text[1:]) if _NEGATIVE.match(text) else escape(text)


def row(cells: Iterable[str]) -> str:
    """One line of a table, of escaped cells; what would be an argument of the last is none."""
    line = " & ".join(cells) + r" \\"
    return "{}" + line if line.startswith(("[", "*")) else line


def over(head: Sequence[str]) -> tuple[str, str]:
    """A line of headings, escaped, equal neighbours as one over all of theirs; and rules below."""
    cells, rules = [], []
    first = 0
    for place in range(1, len(head) + 1):
        if place == len(head) or head[place] != head[first]:
            wide = place - first
            name = escape(head[first])
            cells += [rf"\multicolumn{{{wide}}}{{c}}{{{name}}}"] if name else [""] * wide
            if name:
                rules.append(rf"\cmidrule(lr){{{first + 1}-{place}}}")
            first = place
    return row(cells), " ".join(rules)


def tabular(
    align: str, head: Sequence[str], rows: Iterable[Sequence[str]], above: Sequence[str] = ()
) -> Iterable[str]:
    """The lines of a table: `align` as LaTeX has it, one letter per column; all cells unescaped.

    above: headings over those of the columns, one each, equal ones side by side printed once.
    """
    yield rf"\begin{{tabular}}{{{align}}}"
    yield r"\toprule"
    if above:
        yield from over(above)
    yield row(map(escape, head))
    yield r"\midrule"
    for cells in rows:
        yield row(map(cell, cells))
    yield r"\bottomrule"
    yield r"\end{tabular}"


def floating(lines: Iterable[str], caption: str) -> Iterable[str]:
    """A table with its caption, unescaped, and what the preamble needs."""
    yield r"% \usepackage{booktabs}"
    yield r"\begin{table*}"
    yield r"\centering"
    yield rf"\caption{{{escape(caption)}}}"
    yield from lines
    yield r"\end{table*}"
