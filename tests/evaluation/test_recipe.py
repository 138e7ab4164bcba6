"""Maps put on trial by workers are judged as by this process, to the bit."""

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import address, client
from tests.jobs.test_evaluate import run, sky
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.evaluation.recipe import Trials
from zoolens.catalog.evaluation.trial import MapTrial
from zoolens.catalog.parts.computing import Failed

__all__ = ["address", "client", "sky"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures", "short_evaluation")]


def test_workers_measure_what_this_process_does(sky: Path, address: str) -> None:
    control = str(sky / "model.ckpt")
    here = run(sky, control=control)
    there = run(sky, control=control, galaxies=19_999, cluster=address)  # another run, the same
    assert there.run_id == (here.run_id or 0) + 1
    assert [repr(m) for m in there.measures] == [repr(m) for m in here.measures]
    assert {m.topic for m in there.measures} >= {"localisation", "sanity", "stability"}


def test_a_piece_that_cannot_be_done_ends_it() -> None:
    def failing(_: Callable[[Any], Any], items: Iterable[Any], /) -> Generator[Any, None, None]:
        yield from (Failed("no memory") for _ in items)

    trials = Trials(None, None, failing)  # type: ignore[arg-type]
    with pytest.raises(CatalogError, match="a part failed: no memory; the same command goes on"):
        [*trials(MapTrial.tested, [1, 2], "explaining")]  # type: ignore[arg-type]
