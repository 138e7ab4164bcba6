"""Packs real galaxies for a GPU that is reached by nothing but a small working tree.

    python -m benchmarks.gpu_train_pack CATALOGUE [--unselected votes.csv] [--encoder FILE]
        [--size 128] [--zoom 1.6667] [--most MIB] [--held-out 0.1] [--seed 0] [--galaxies N]

Writes into build/gpu-pack/real, which git ignores: of every galaxy with votes and an image the
canvas that a training takes of it (`catalog.training.pixels.canvas`: the central 1.2 / zoom of its
side) as a JPEG of the best quality with which all fit into --most; votes, names, samples and the
split of `zoolens train`; and, in half precision, the encoder to begin with.
"""

import argparse
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.real_model import SAMPLE, UNSELECTED, unselected
from zoolens.catalog.arrays import Flags, Pixels
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.store.own_rows import own_columns, read_own
from zoolens.catalog.store.store import Store
from zoolens.catalog.training.dataset import read_training_set
from zoolens.catalog.training.pixels import TrainingSet, canvas, canvas_side

PACK = Path(__file__).resolve().parent.parent / "build" / "gpu-pack" / "real"
QUALITIES = (95, 92, 90, 87, 85, 80, 75, 70, 60, 50)
_TRIED = 200  # galaxies by which the size of all is told


def encoded(pixels: Pixels, quality: int) -> bytes:
    """A canvas (3, S, S) as a JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def best_quality(sample: Sequence[Pixels], galaxies: int, most: float) -> int:
    """The best quality with which so many galaxies like these fit into so many bytes.

    Raises `CatalogError` if they fit with none.
    """
    for quality in QUALITIES:
        size = sum(len(encoded(pixels, quality)) for pixels in sample) / len(sample) * galaxies
        if size <= most:
            return quality
    raise CatalogError(
        f"{galaxies:,} canvases take {size / 2**20:.0f} MiB; give a smaller --size, or fewer "
        "--galaxies"
    )


def canvases(data: TrainingSet, view: View, side: int) -> Iterator[Pixels]:
    """The canvases (3, side, side) of galaxies, in order."""
    with ImageReader() as reader:

        def made(place: int) -> Pixels:
            galaxy = data.galaxies[place]
            image = reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)
            return canvas(image, view, side)

        yield from in_order(made, range(len(data.galaxies)), threads=os.cpu_count() or 1)


def chosen_by_looks(store: Store, data: TrainingSet, table: Path | None) -> Flags:
    """Which galaxies are unselected, (N,), as `benchmarks.real_model` tells."""
    names = [galaxy.iauname for galaxy in data.galaxies]
    if table is not None:
        sample: npt.NDArray[np.str_] = unselected(table, names)
    elif any(column.name == SAMPLE for column in own_columns(store)):
        column = read_own(store, [SAMPLE], data.galaxy_id)[SAMPLE]
        sample = np.array([value or "" for value in column.to_pylist()])
    else:
        raise CatalogError(f"{store.path} keeps no column {SAMPLE}; give --unselected FILE")
    return sample == UNSELECTED


def main() -> None:
    """Read, choose a quality, write, and say how much it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_train_pack")
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("--unselected", type=Path)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--size", type=int, default=128, help="of the view, pixels")
    parser.add_argument("--zoom", type=float, default=1 / 0.6, help="of the view")
    parser.add_argument("--most", type=float, default=30, help="MiB of pixels")
    parser.add_argument("--held-out", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--galaxies", type=int, help="so many, the first; all unless given")
    parser.add_argument("--to", type=Path, default=PACK)
    given = parser.parse_args()
    view = View("minimal", given.size, zoom=given.zoom)
    with Store.open(given.catalogue, read_only=True) as store:
        data = read_training_set(store, given.seed, given.held_out, None)
        if given.galaxies is not None:
            data = data.where(np.arange(len(data.galaxies)) < given.galaxies)
        looks = chosen_by_looks(store, data, given.unselected)
        tree = store.tree.name
    side = min(canvas_side(view, data.largest), round(1.2 * given.size))
    some = np.random.default_rng(0).permutation(len(data.galaxies))[:_TRIED]
    tried = data.where(np.isin(np.arange(len(data.galaxies)), some))
    quality = best_quality(list(canvases(tried, view, side)), len(looks), given.most * 2**20)
    parts = [encoded(pixels, quality) for pixels in canvases(data, view, side)]
    make_folder(given.to)
    (given.to / "canvases.bin").write_bytes(b"".join(parts))
    np.savez_compressed(
        given.to / "galaxies.npz",
        names=np.array([galaxy.iauname for galaxy in data.galaxies]),
        sizes=np.array([len(part) for part in parts]),
        votes=data.counts.astype(np.float32),
        split=data.split,
        unselected=looks,
    )
    about = {"tree": tree, "view": view.config(), "side": side, "quality": quality}
    (given.to / "about.json").write_text(json.dumps({**about, "seed": given.seed}, indent=1) + "\n")
    encoder = given.to / "encoder.safetensors"
    encoder.unlink(missing_ok=True)
    if given.encoder is not None:
        halved(given.encoder, encoder)
    total = sum(file.stat().st_size for file in given.to.iterdir())
    print(
        f"{given.to}: {len(parts):,} galaxies, {side} pixels a side, JPEG quality {quality}, "
        f"{total / 2**20:.1f} MiB"
    )


def halved(source: Path, to: Path) -> None:
    """A copy of a file of safetensors in half precision."""
    import safetensors
    from safetensors.torch import save_file

    with safetensors.safe_open(source, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    half = {n: t.half().contiguous() if t.is_floating_point() else t for n, t in tensors.items()}
    save_file(half, to, metadata=metadata)


if __name__ == "__main__":
    main()
