"""What is given and taken by calls of `Catalog`: names in, tables out."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from zoolens.catalog.errors import UnknownName
from zoolens.catalog.output.answer import numbered

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["pandas", "arrow", "numpy"]


def listed(names: str | Iterable[str]) -> Sequence[str]:
    """Names, of one or of several."""
    return [names] if isinstance(names, str) else [str(name) for name in names]


def formed(table: "pa.Table", form: Form, units: dict[str, str] | None = None) -> Any:
    """An Arrow table as what the caller asked for, no two columns of one name."""
    table = table.rename_columns(numbered(table.column_names))
    if form == "pandas":
        from zoolens.catalog.output.frame import framed

        return framed(table, units)
    if form == "arrow":
        return table
    if form == "numpy":
        columns = zip(table.column_names, table.columns, strict=True)
        return {name: column.to_numpy() for name, column in columns}
    raise UnknownName(f"no tables as {form!r}; choose one of pandas, arrow, numpy")
