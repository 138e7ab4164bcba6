"""Damage to every file that Zoolens leaves: it is noticed, or changes no answer.

Noticed is what is refused when it is opened or read, and what `verify` or `release verify`
ends with exit code 1 for. What still gives all answers as before was harmless.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from reliability.answers import answers
from reliability.cases import Case, Job, Outcome, Verdict, failed, refusal
from reliability.damage import spoil
from reliability.world import World
from zoolens.catalog.errors import CatalogError

# What `release diff` reads: a reader that did not verify first is not to meet a traceback.
_COMPARED = ("galaxies.parquet", "release.json")
_SOUND: dict[Path, object] = {}  # answers before a damage, by catalogue, in this process


def _sound(catalog: Path, ask: Callable[[Path], object]) -> object:
    if catalog not in _SOUND:
        _SOUND[catalog] = ask(catalog)
    return _SOUND[catalog]


def noticed(words: CatalogError | str) -> Verdict:
    """The verdict on a damage that was said, in one line if by an error."""
    if isinstance(words, CatalogError):
        said = refusal(words)
        if said.outcome == Outcome.FAILED:
            return said
    return Verdict(Outcome.NOTICED, str(words))


def verified(catalog: Path) -> Verdict | None:
    """What `verify` says of a catalogue; None if it finds nothing."""
    from zoolens.jobs.verify import verify

    try:
        report = verify(catalog)
    except CatalogError as error:
        return noticed(error)
    wrong = [row["check"] for row in report.checks.to_pylist() if row["result"] == "ERROR"]
    return noticed("; ".join(wrong)) if report.errors else None


def judge_catalogue(catalog: Path, sound: object, way: str) -> Verdict:
    """Compare what a damaged catalogue answers with what it should."""
    from zoolens.catalog.similarity.files import unload_indexes

    unload_indexes()
    try:
        found = answers(catalog)
    except CatalogError as error:
        found, said = None, noticed(error)
    by_verify = verified(catalog)  # is not to fail either
    if found is None:
        return said
    if by_verify is not None:
        return by_verify
    if found == sound:
        return Verdict(Outcome.HARMLESS, way)
    differing = [name for name, each in found.items() if each != sound[name]]  # type: ignore[index]
    return failed(f"{way}: other answers without a word: {', '.join(differing[:4])}")


def _of_catalogue(name: str) -> Job:
    """Damage to the file `name` of a catalogue with everything."""

    def run(case: Case, world: World, folder: Path) -> Verdict:
        sound = _sound(world.part("full") / "gz.duckdb", answers)
        world.copy("full", folder)
        way = spoil(folder / name, case.random)
        return judge_catalogue(folder / "gz.duckdb", sound, way)

    return Job(run, ("full",), short=True)


def judge_release(cut: Path, spoilt: Path, way: str, *names: str) -> Verdict:
    """Verify a release whose files `names` are damaged, and compare it with the sound one."""
    from zoolens.jobs.release_diff import diff
    from zoolens.jobs.release_verify import verify

    try:
        faults = verify(spoilt).faults.to_pylist()
    except CatalogError as error:
        return noticed(error)
    if not {*names}.isdisjoint(_COMPARED):
        try:
            diff(cut, spoilt)
        except CatalogError as error:
            said = refusal(error)
            if said.outcome == Outcome.FAILED:
                return said
    if not faults:
        return failed(f"{way}: release verify finds no fault")
    return noticed("; ".join(f"{row['file']}: {row['fault']}" for row in faults))


def _of_release(*patterns: str, share: float = 1) -> Job:
    """Damage to one of the files of a release that match the patterns."""

    def run(case: Case, world: World, folder: Path) -> Verdict:
        cut = world.part("cut") / "cut"
        shutil.copytree(cut, folder, dirs_exist_ok=True, copy_function=os.link)
        files = sorted({p for each in patterns for p in folder.glob(each) if p.is_file()})
        path = case.random.choice(files)
        way = spoil(path, case.random)
        return judge_release(cut, folder, f"{path.name}, {way}", path.name)

    return Job(run, ("cut",), share, short=True)


def _rearranged(case: Case, world: World, folder: Path) -> Verdict:
    """A file of a release is gone, twice there, or has the content of another."""
    cut = world.part("cut") / "cut"
    shutil.copytree(cut, folder, dirs_exist_ok=True, copy_function=os.link)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    path, other = case.random.sample(files, 2)
    way = case.random.choice(("gone", "twice", "exchanged"))
    if way == "gone":
        path.unlink()
    elif way == "twice":
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
    else:
        content = path.read_bytes(), other.read_bytes()
        for each, data in zip((path, other), reversed(content), strict=True):
            each.unlink()
            each.write_bytes(data)
        if content[0] == content[1]:
            return Verdict(Outcome.HARMLESS, way)
    return judge_release(cut, folder, f"{path.name} {way}", path.name, other.name)


JOBS: dict[str, Job] = {
    "catalogue": _of_catalogue("gz.duckdb"),
    "index, observed": _of_catalogue("gz.observed.arrow"),
    "index, predicted": _of_catalogue("gz.predicted.arrow"),
    "index, codes": _of_catalogue("gz.observed.codes.arrow"),
    "release, Parquet": _of_release("galaxies.parquet", "tables/*"),
    "release, FITS": _of_release("galaxies.fits", "cubes/**/*"),
    "release, VOTable": _of_release("galaxies.vot"),
    "release, CSV": _of_release("galaxies.csv", share=0.5),
    "release, HATS": _of_release("hats/**/*"),
    "release, documents": _of_release("*.md", "*.cff", "croissant.json", share=0.5),
    "release, manifest": _of_release("release.json"),
    "release, checksums": _of_release("SHA256SUMS"),
    "release, files moved": Job(_rearranged, ("cut",), 0.5, short=True),
}
