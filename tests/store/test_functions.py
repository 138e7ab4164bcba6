"""Functions of SQL against those of NumPy that they are to equal."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.saliency.arithmetic import decode
from zoolens.catalog.similarity.exact import (
    EDGE,
    observed_candidates,
    predicted_candidates,
    similarity,
)
from zoolens.catalog.store import functions
from zoolens.catalog.store.foreign import opened
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import compared_galaxies, read_predictions, read_votes
from zoolens.catalog.store.store import Store

_MEMORY = 1 << 28
_TOLERANCE = 1e-12  # nat, of sums of a few logarithms


def _rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with opened(path, "votes predictions saliency", memory=_MEMORY, threads=1) as foreign:
        macros = {*functions.SIMILARITIES, "zoolens_map_mean", "zoolens_map_sd"}
        foreign.add_functions(macros, ["votes", "predictions", "saliency"])
        rows = foreign.answer(sql, 10_000).read_all().to_pylist()
    return [tuple(row.values()) for row in rows]


def _wanted(path: Path, of: str, other: str) -> dict[tuple[str, str, str], float]:
    """By galaxy, other galaxy and question."""
    with Store.open(path, read_only=True) as store:
        tree, run = store.tree, store.newest_run("predict")
        ids = compared_galaxies(store, run)
        votes = read_votes(store, tree, ids)
        predicted, _ = read_predictions(store, tree, run, ids)
        names = names_of(store, ids)
    asked = {"votes": votes.observed, "predictions": predicted}[other]
    candidates: npt.NDArray[np.float64] = {
        "votes": observed_candidates(votes.counts, tree),
        "predictions": predicted_candidates(predicted),
    }[of]
    found = {}
    for q, where in enumerate(tree.slices):
        weights = np.zeros(len(tree.labels))
        weights[where] = 1
        for j, b in enumerate(ids.tolist()):
            scores = similarity(asked[j], candidates, weights)
            for i, a in enumerate(ids.tolist()):
                known = of == "predictions" or votes.totals[i, q] > 0
                if known and not np.isnan(asked[j, where]).any():
                    found[names[a], names[b], tree.questions[q].name] = float(scores[i])
    return found


@pytest.mark.parametrize("of", ["votes", "predictions"])
@pytest.mark.parametrize("other", ["votes", "predictions"])
def test_similarity_is_that_of_numpy(full_gz: Path, of: str, other: str) -> None:
    wanted = _wanted(full_gz, of, other)
    found = _rows(
        full_gz,
        f"""SELECT a.iauname, b.iauname AS other, q.question,
            zoolens_similarity_{of}_{other}(a.iauname, b.iauname, q.question) AS alike
        FROM galaxies a, galaxies b, (SELECT DISTINCT question FROM answers) q""",
    )
    values = {(a, b, q): alike for a, b, q, alike in found}
    assert len(wanted) > 500
    assert {key: values[key] for key in wanted} == pytest.approx(wanted, abs=_TOLERANCE)
    both = {name for key in wanted for name in key[:2]}
    others = [v for (a, b, q), v in values.items() if (a, b, q) not in wanted and {a, b} <= both]
    assert all(value is None for value in others)


def test_the_edge_is_that_of_candidates() -> None:
    assert functions._EDGE == EDGE


def test_maps_are_those_that_are_stored(full_gz: Path) -> None:
    found = _rows(
        full_gz,
        """SELECT s.mean, s.sd, s.answers, s.height, s.width,
            list(zoolens_map_mean(s.iauname, a.label) ORDER BY a.answer_id) AS means,
            list(zoolens_map_sd(s.iauname, a.label) ORDER BY a.answer_id) AS sds
        FROM saliency s JOIN answers a USING (question) GROUP BY ALL""",
    )
    assert len(found) > 10
    for mean, sd, answers, height, width, means, sds in found:
        for blob, lists in ((mean, means), (sd, sds)):
            wanted = decode(blob, answers, height, width)  # type: ignore[arg-type]
            given = np.array(lists, np.float32).reshape(wanted.shape)
            np.testing.assert_array_equal(given, wanted)
    label = "(SELECT min(label) FROM answers)"
    assert _rows(full_gz, f"SELECT zoolens_map_mean('absent', {label}) AS m") == [(None,)]


def test_numbers_that_are_none_are_in_maps_too(full_gz: Path) -> None:
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4e38], "<f4")
    (row,) = _rows(full_gz, f"SELECT zoolens_floats(unhex('{odd.tobytes().hex()}'), 0, 6) AS x")
    assert np.array(row[0], "<f4").tobytes() == odd.tobytes()


def test_what_is_not_there_is_said(full_gz: Path) -> None:
    with opened(full_gz, memory=_MEMORY, threads=1) as foreign:
        foreign.check_name("label", "shape_smooth")
        with pytest.raises(UnknownName, match="no label 'shape_smoth'; nearest: shape_smooth"):
            foreign.check_name("label", "shape_smoth")
        foreign.tables = [table for table in foreign.tables if table.name != "votes"]
        with pytest.raises(CatalogError, match="no table votes here"):
            foreign.add_functions({"zoolens_similarity_votes_votes"}, ["votes"])
