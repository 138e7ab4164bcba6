"""Figures of models of real galaxies as tables: every number, and what fits a terminal."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from benchmarks.real_figures import Figure, difference
from zoolens.catalog.evaluation.measures import Estimate


def rows(names: Sequence[str], found: Sequence[Sequence[Figure]]) -> Iterator[dict[str, object]]:
    """Every number, a row each; where a model is not the first, also the first's less its own."""
    first = {(figure.name, figure.of): figure for figure in found[0]}
    for name, measured in zip(names, found, strict=True):
        for figure in measured:
            row: dict[str, object] = {
                "model": name,
                "figure": figure.name,
                "of": figure.of,
                "floor": figure.floor,
            }
            row |= figure.estimate._asdict()
            beside = first.get((figure.name, figure.of)) if measured is not found[0] else None
            less = difference(beside, figure) if beside else None
            row |= {f"first_less_{k}": getattr(less, k, None) for k in ("value", "lo", "hi")}
            yield row


def shown(found: Sequence[Sequence[Figure]]) -> pa.Table:
    """One row a figure, narrow enough for a terminal."""
    others = [{(f.name, f.of): f for f in measured} for measured in found[1:]]
    table = []
    for figure in found[0]:
        row: dict[str, object] = {
            "figure": figure.name,
            "of": figure.of,
            "n": figure.estimate.galaxies,
        }
        row |= {"floor": _short(figure.floor), "value": _with_interval(figure.estimate)}
        for number, measured in enumerate(others, 2):
            other = measured.get((figure.name, figure.of))
            row[f"value {number}"] = _with_interval(other.estimate) if other else "-"
            row[f"less {number}"] = _with_interval(difference(figure, other)) if other else "-"
        table.append(row)
    return pa.Table.from_pylist(table)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _with_interval(found: Estimate) -> str:
    bounds = "" if found.lo is None else f" [{_short(found.lo)}, {_short(found.hi)}]"
    return _short(found.value) + bounds
