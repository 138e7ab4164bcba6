"""Tables as pandas frames that a notebook shows as a terminal shows them."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from zoolens.catalog.output.notebook import ROWS, table

if TYPE_CHECKING:
    import pyarrow as pa


class Frame(pd.DataFrame):
    """A pandas frame; in a notebook floats have four digits, and units stand below names.

    Everything else is pandas', and so are frames made from it by selecting: they show alike. Units
    are `frame.attrs["units"]`, by column, where they are known.
    """

    @property
    def _constructor(self) -> type["Frame"]:
        return Frame

    @property
    def _constructor_sliced(self) -> type[pd.Series]:
        return pd.Series

    def _repr_html_(self) -> str | None:
        """The first rows; pandas' own way where rows or columns have more than one name."""
        if self.index.nlevels > 1 or self.columns.nlevels > 1:
            return pd.DataFrame(self).to_html(max_rows=ROWS, notebook=True)
        first = self.iloc[:ROWS]
        names = [str(name) for name in self.columns]
        rows: Any = first.itertuples(index=False, name=None)
        if not isinstance(self.index, pd.RangeIndex):  # then the index is something to read
            names = [str(self.index.name or ""), *names]
            rows = ((key, *row) for key, row in zip(first.index, rows, strict=True))
        return table(names, rows, units=self.attrs.get("units"), of=len(self))


def framed(answer: "pa.Table", units: dict[str, str] | None = None) -> Frame:
    """An Arrow table as a frame; units: of columns, where they are known."""
    frame = Frame(answer.to_pandas())
    known = {name: unit for name, unit in (units or {}).items() if name in frame.columns}
    if known:
        frame.attrs["units"] = known
    return frame
