"""What a survey in pieces takes to answer, beside one catalogue of its galaxies with votes.

    python -m benchmarks.pieces [--full] [GALAXIES]

The survey has 16 pieces of the sky, 5,000 galaxies each unless GALAXIES says otherwise; in full as
many as Galaxy Zoo DESI together, 8,700,000, beside as many as Galaxy Zoo DECaLS, 314,000 (4 GB of
disk). Everything is synthetic and made from arrays: positions, fractions of GZ DECaLS's 34 answers
for all, as adopted from a published table, votes for one galaxy in 28, and their losses, as
`zoolens score` finds them. The one catalogue has as many galaxies as the survey has with votes, all
of them with votes. Both are asked on the command line, in turn, each time in a new process, with
its start; the release is cut once. Appends seconds and peak memory to results/pieces.jsonl.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from zoolens.catalog.arrays import Floats, Ids
    from zoolens.catalog.decision_tree import DecisionTree
    from zoolens.catalog.survey.folder import Piece

RESULTS = Path(__file__).parent / "results" / "pieces.jsonl"
GALAXIES, FULL = 16 * 5_000, 8_700_000
WITH_VOTES = 314_000 / 8_700_000
ROUNDS = 3
# of two sizes; what lies between them is not observed
_PIXELS = [(1, pixel) for pixel in range(0, 24, 2)] + [(2, 4 * 25 + k) for k in range(4)]
_FINE = 24  # order of the pixels that galaxies lie in: 0.01 arcsec
_CHUNK = 65_536  # galaxies committed at a time

_WEIGHTED = """SELECT iauname, sum(CASE question WHEN 'bar' THEN 3 ELSE 1 END * ce) AS total
FROM losses GROUP BY iauname ORDER BY total DESC, iauname LIMIT 10"""
_CENTRE = (45.0, 19.47)  # of the first piece, deg
_RADIUS = 2.0  # of the cone, deg
_CONE = """SELECT iauname, ra, dec FROM galaxies
WHERE dec BETWEEN {dec} - {r} AND {dec} + {r} AND ra BETWEEN {ra} - 2 * {r} AND {ra} + 2 * {r}
AND 2 * degrees(asin(sqrt(pow(sin(radians(dec - {dec}) / 2), 2) + cos(radians(dec))
* cos(radians({dec})) * pow(sin(radians(ra - {ra}) / 2), 2)))) < {r} ORDER BY iauname"""


def pieces() -> "list[Piece]":
    """The pieces of the survey."""
    from zoolens.catalog.survey.folder import Piece

    return [Piece(order, pixel) for order, pixel in _PIXELS]


def make_survey(folder: Path, galaxies: int) -> None:
    """A survey of so many galaxies, every piece with as many."""
    from zoolens.catalog.survey.folder import write_survey

    folder.mkdir()
    survey = write_survey(folder, pieces())
    for piece, path in zip(survey.pieces, survey.paths, strict=True):
        path.parent.mkdir(exist_ok=True)
        size = galaxies // len(survey.pieces)
        voted = round(size * WITH_VOTES)
        make_catalogue(path, [piece], size, voted, after=survey.first_number(piece))


def make_catalogue(
    path: Path, where: "Sequence[Piece]", galaxies: int, voted: int, *, after: int = 0
) -> None:
    """A catalogue of so many galaxies within some pixels, the first `voted` with votes and losses.

    after: the number that those of its galaxies follow.
    """
    import numpy as np
    import pyarrow as pa
    from cdshealpix.nested import healpix_to_lonlat

    from tests.made.catalogues import blank
    from zoolens.catalog.store.galaxies import number_after
    from zoolens.catalog.store.store import Store
    from zoolens.catalog.store.tables import arrow_schema
    from zoolens.catalog.trees.published import get_tree
    from zoolens.catalog.votes.standing import vote_table
    from zoolens.jobs.score import score

    tree, random = get_tree("gzd5"), np.random.default_rng(after + 1)
    width = np.array([4 ** (_FINE - one.order) for one in where])
    first = width * [one.pixel for one in where]
    with Store.open(blank(path)) as store:
        number_after(store, after)
        store.set_tree(tree)
        votes = store.begin("ingest", {"votes_sha256": "of the benchmark", "tree": tree.name})
        predictions = store.begin("predict", {"predictions_sha256": "made", "tree": tree.name})
        for start in range(0, galaxies, _CHUNK):
            size = min(_CHUNK, galaxies - start)
            ids = np.arange(after + start + 1, after + start + size + 1)
            chosen = random.integers(0, len(where), size)
            pixels = first[chosen] + random.integers(0, width[chosen])
            ra, dec = (angle.deg for angle in healpix_to_lonlat(pixels, _FINE))
            galaxy = pa.table(
                {"galaxy_id": ids, "iauname": [f"S{n}" for n in ids], "ra": ra, "dec": dec},
                schema=arrow_schema("galaxy"),
            )
            some = ids[: max(voted - start, 0)]
            counts, totals = random_votes(tree, random_fractions(tree, len(some), random), random)
            asked = vote_table(tree, some, counts, totals, totals > 0)
            store.commit(votes, f"from {start}", {"galaxy": galaxy, "vote": asked})
            rows = fraction_rows(tree, ids, random_fractions(tree, size, random))
            store.commit(predictions, f"from {start}", {"prediction": rows})
        store.finish(votes)
        store.finish(predictions)
    score(path)


def random_fractions(
    tree: "DecisionTree", galaxies: int, random: "np.random.Generator"
) -> "Floats":
    """Vote fractions (N, A), each question's adding up to 1."""
    import numpy as np

    alpha = 1 + 100 * random.beta(0.5, 2, (galaxies, len(tree.labels)))
    totals = np.add.reduceat(alpha, [s.start for s in tree.slices], axis=1)
    found: Floats = (alpha / totals[:, tree.question_of]).astype(np.float32)
    return found.astype(float)  # as exact as most tables have them


def random_votes(
    tree: "DecisionTree", fractions: "Floats", random: "np.random.Generator"
) -> "tuple[Floats, Floats]":
    """Votes (N, A) and their sums (N, Q) of 40 volunteers, who follow the tree."""
    import numpy as np

    asked = np.rint(40 * tree.reach(fractions))
    counts = np.zeros(fractions.shape)
    for question, where in enumerate(tree.slices):
        shares = fractions[:, where] / fractions[:, where].sum(axis=1, keepdims=True)
        counts[:, where] = random.multinomial(asked[:, question].astype(int), shares)
    return counts, asked


def fraction_rows(tree: "DecisionTree", ids: "Ids", fractions: "Floats") -> "pa.Table":
    """Rows of `prediction`, as those of published fractions."""
    import numpy as np

    from zoolens.catalog.predictions.posterior import Summary
    from zoolens.catalog.predictions.rows import prediction_rows

    none = np.full(fractions.shape, np.nan)
    reach = tree.reach(fractions)[:, tree.question_of]
    return prediction_rows(
        ids, Summary(none, fractions, none, none, none, reach, none, model_sd=none)
    )


def questions(catalog: Path, cut: Path) -> dict[str, list[str]]:
    """What is asked, by what it is called: arguments of `zoolens`; cut: where a release goes."""
    ra, dec = _CENTRE
    worst = ["worst", "--format", "csv"]
    asked = {
        "worst ten": worst,
        "weighted ten": ["sql", _WEIGHTED, "--format", "csv"],
        "cone": ["sql", _CONE.format(ra=ra, dec=dec, r=_RADIUS), "--format", "csv"],
        "release": [
            *("release", str(cut), "--version", "1", "--preset", "friendly"),
            *("--formats", "hats", "--counterparts", "0", "--quiet"),
        ],
    }
    return {name: [*words, "--catalog", str(catalog)] for name, words in asked.items()}


def ask(arguments: list[str]) -> dict[str, float]:
    """Seconds, core-seconds and peak bytes of a command, and how many lines it answered."""
    command = [sys.executable, "-m", "zoolens", *arguments]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        out.seek(0)
        lines = sum(1 for _ in out)
    core, peak = used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss
    return {"seconds": seconds, "core_seconds": core, "peak_bytes": peak, "lines": lines}


def measure(folder: Path, galaxies: int) -> Iterator[dict[str, object]]:
    """Seconds and peak bytes of each question, to a survey and to one catalogue, in turn."""
    survey, one = folder / "survey", folder / "one.duckdb"
    with_votes = round(galaxies * WITH_VOTES)
    _in_a_process("make_survey", survey, galaxies)
    _in_a_process("make_one", one, with_votes)
    sizes = {"survey": (survey, galaxies), "one": (one, with_votes)}
    for name in questions(survey, folder):
        for number in range(1 if name == "release" else ROUNDS):
            for which, (path, size) in sizes.items():
                cut = folder / f"release of {which}"
                found = ask(questions(path, cut)[name])
                yield {"work": name, "of": which, "galaxies": size, "round": number, **found}


def _in_a_process(function: str, path: Path, galaxies: int) -> None:
    """Make a catalogue or survey elsewhere: what this process holds counts as its children's."""
    code = f"from benchmarks.pieces import *; {function}(Path({str(path)!r}), {galaxies})"
    subprocess.run([sys.executable, "-c", code], check=True)


def make_one(path: Path, galaxies: int) -> None:
    """A catalogue of so many galaxies, all with votes, in all pixels of the survey."""
    make_catalogue(path, pieces(), galaxies, galaxies)


def ratios(rows: Sequence[dict[str, object]], measure: str) -> dict[str, tuple[float, float]]:
    """By what was asked: the survey's median, and how many times that of the one catalogue."""
    found = {}
    for work in dict.fromkeys(str(row["work"]) for row in rows):
        survey, one = (
            statistics.median(
                float(str(row[measure])) for row in rows if (row["work"], row["of"]) == (work, of)
            )
            for of in ("survey", "one")
        )
        found[work] = (survey, survey / one)
    return found


def main() -> None:
    """Measure, keep, show."""
    from benchmarks.contest import surroundings

    numbers = [int(word) for word in sys.argv[1:] if word != "--full"]
    galaxies = numbers[0] if numbers else FULL if "--full" in sys.argv else GALAXIES
    rows, where = [], surroundings()
    with tempfile.TemporaryDirectory() as name, RESULTS.open("a") as file:
        for row in measure(Path(name), galaxies):
            rows.append(row)
            file.write(json.dumps({**row, **where}) + "\n")
            print(f"{row['work']}, {row['of']}: {row['seconds']:.2f} s", file=sys.stderr)
    clock, cores = (ratios(rows, measure) for measure in ("seconds", "core_seconds"))
    for work, (seconds, times) in clock.items():
        own = [row for row in rows if (row["work"], row["of"]) == (work, "survey")]
        peak = max(float(str(row["peak_bytes"])) for row in own)
        print(
            f"{work:<14} {seconds:8.2f} s, {times:6.2f} times as long as of the one catalogue; "
            f"{cores[work][0]:8.2f} core-s, {cores[work][1]:6.2f} times; peak {peak / 1e9:.2f} GB"
        )


if __name__ == "__main__":
    main()
