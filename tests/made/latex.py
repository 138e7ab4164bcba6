"""Reading LaTeX tables as they are written, to check them without a TeX."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """align: one letter per column; lines: their cells; caption: "" without one."""

    align: str
    lines: list[list[str]]
    caption: str


def table_of(text: str) -> Table:
    """The one table in a text; fails where TeX would, for braces, environments and columns."""
    opened = []
    for verb, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if verb == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    (found,) = re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", text, re.S)
    align, body = found
    assert [body.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    lines = []
    for line in body.splitlines():
        if not line.endswith(r"\\"):
            assert re.fullmatch(r"\\(top|mid|bottom)rule|(\\cmidrule\(lr\)\{\d+-\d+\} ?)+", line)
            continue
        cells = re.split(r"(?<!\\)&", line.removesuffix(r"\\"))
        cells = [cell.strip() for cell in cells]
        wide = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
        assert len(cells) + wide == len(align)
        lines.append(cells)
    caption = re.search(r"\\caption\{(.*)\}\n", text)
    return Table(align, lines, caption[1] if caption else "")
