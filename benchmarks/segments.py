"""Central galaxies' segments on three surveys' pictures, beside sep's and photutils's.

    python -m benchmarks.segments [NUMBER]

Takes NUMBER (100 unless given) images each of SDSS (Galaxy Zoo 2) and DECaLS from
../shared/data, drawn by a seed, and of a simulated sky, whose truth is known, as it is
and made to look like SDSS's. Prints a table and writes results/segments.json.

sep and photutils get the same luminance, smoothed as much, and the same threshold in noise;
sky (a mesh of 112 pixels, half a side), noise and deblending (32 levels, contrast 0.005) are
theirs. The truth of the simulated sky is where the galaxy's r-band light exceeds the sky's
noise of a pixel and the light of all else.
"""

import io
import json
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import sep
from photutils.background import Background2D
from photutils.segmentation import deblend_sources, detect_sources
from PIL import Image
from scipy import ndimage

from zoolens.catalog.arrays import Floats32, Mask
from zoolens.catalog.images.segments import SEGMENTATION, Segments, segments
from zoolens.catalog.images.view import View
from zoolens.catalog.sky.galaxy import draw_galaxy
from zoolens.catalog.sky.population import FRAME_PIXELS, MAGNITUDE_LIMIT
from zoolens.catalog.sky.render import Scene, render

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULTS = Path(__file__).parent / "results" / "segments.json"
SEED = 18
CLIPPED = np.uint8(14)  # grey levels: three in ten pixels are as dark
VIEW = View()
Images = list[npt.NDArray[np.uint8]]


def sdss(number: int) -> Images:
    """Images drawn from all shards."""
    held = []
    for shard in sorted((DATA / "sdss").glob("*.tar")):
        with tarfile.open(shard) as tar:
            held += [(shard, member) for member in tar if member.isfile()]
    drawn = np.random.default_rng(SEED).choice(len(held), number, replace=False)
    images = []
    for shard, member in (held[place] for place in sorted(drawn)):
        with shard.open("rb") as file:
            file.seek(member.offset_data)
            images.append(shown(io.BytesIO(file.read(member.size))))
    return images


def decals(number: int) -> Images:
    """Images drawn from the folder."""
    files = sorted((DATA / "images").glob("*.png"))
    drawn = np.random.default_rng(SEED).choice(len(files), min(number, len(files)), replace=False)
    return [shown(files[place]) for place in sorted(drawn)]


def shown(file: Path | io.BytesIO) -> npt.NDArray[np.uint8]:
    """The view's pixels of an image file."""
    with Image.open(file) as image:
        return VIEW.display(image.convert("RGB"))


def scenes(number: int) -> Iterator[Scene]:
    """Galaxies of the simulated sky."""
    for seed in np.random.SeedSequence(SEED).spawn(number):
        population, picture = map(np.random.default_rng, seed.spawn(2))
        yield render(picture, draw_galaxy(population, MAGNITUDE_LIMIT), FRAME_PIXELS)


def as_sdss(scene: Scene) -> npt.NDArray[np.uint8]:
    """The view of a scene as SDSS shows one: sky clipped to black, enlarged twice, JPEG."""
    clipped = np.maximum(scene.rgb, CLIPPED) - CLIPPED
    half = (FRAME_PIXELS // 2, FRAME_PIXELS // 2)
    small = Image.fromarray(clipped).resize(half)
    file = io.BytesIO()
    small.resize((FRAME_PIXELS, FRAME_PIXELS), Image.Resampling.BICUBIC).save(file, "JPEG")
    return shown(file)


def in_view(mask: Mask) -> Mask:
    """The part of a mask that the view shows."""
    seen: Mask = VIEW.display(Image.fromarray(mask.astype(np.uint8) * 255))[..., 0] > 127
    return seen


def truth(scene: Scene) -> Segments:
    """Where the galaxy, and where anything else, outshines the noise and the other."""
    light = scene.features["galaxy"]
    other = np.zeros_like(light)
    for name in {"neighbour", "companion", "artefact"} & scene.features.keys():
        other += scene.features[name]
    galaxy = (light > scene.noise) & (light > other)
    return Segments(in_view(galaxy), in_view((other > scene.noise) & (other > light)))


def smoothed(pixels: npt.NDArray[np.uint8]) -> Floats32:
    """Luminance as `segments` smooths it."""
    smooth: Floats32 = ndimage.gaussian_filter(
        pixels.mean(axis=-1, dtype=np.float32), SEGMENTATION["smoothing"]
    )
    return smooth


def of_sep(pixels: npt.NDArray[np.uint8]) -> Segments:
    """Segments by SExtractor's algorithms."""
    image = smoothed(pixels)
    sky = sep.Background(image, bw=112, bh=112)
    _, labels = sep.extract(
        image - sky.back(),
        SEGMENTATION["threshold"] * sky.globalrms,
        minarea=int(SEGMENTATION["pixels"]),
        filter_kernel=None,
        deblend_cont=0.005,
        segmentation_map=True,
    )
    return split(labels)


def of_photutils(pixels: npt.NDArray[np.uint8]) -> Segments:
    """Segments by photutils."""
    image = smoothed(pixels)
    sky = Background2D(image, 112, exclude_percentile=50)
    light, least = image - sky.background, int(SEGMENTATION["pixels"])
    found = detect_sources(light, SEGMENTATION["threshold"] * sky.background_rms_median, least)
    if found is None:
        return split(np.zeros(image.shape, np.int64))
    parted = deblend_sources(light, found, least, n_levels=32, contrast=0.005, progress_bar=False)
    return split(parted.data)


def split(labels: npt.NDArray[np.integer]) -> Segments:
    """The source that fills most of the middle, and the others."""
    middle = labels.shape[0] // 2
    near = labels[middle - 6 : middle + 7, middle - 6 : middle + 7].ravel()
    if not near.any():
        return Segments(None, labels > 0)
    galaxy = labels == np.bincount(near[near > 0]).argmax()
    return Segments(galaxy, (labels > 0) & ~galaxy)


METHODS: dict[str, Callable[[npt.NDArray[np.uint8]], Segments]] = {
    "zoolens": segments,
    "sep": of_sep,
    "photutils": of_photutils,
}


def overlap(found: Mask, true: Mask) -> float:
    """Intersection over union."""
    return float((found & true).sum() / max(1, (found | true).sum()))


def figures(
    found: list[Segments], areas: dict[str, npt.NDArray[np.float64]], known: list[Segments]
) -> dict[str, float]:
    """What a survey's segments are like; areas: of the references, as shares of the image."""
    area = np.array([0 if s.galaxy is None else s.galaxy.mean() for s in found])
    frame = np.ones((VIEW.size, VIEW.size), np.bool_)
    frame[1:-1, 1:-1] = False
    told = {
        "none": float(sum(s.galaxy is None for s in found)),
        "at the frame's edge": float(
            sum(s.galaxy is not None and (s.galaxy & frame).any() for s in found)
        ),
        "median area": float(np.median(area)),
        "neighbours' area": float(np.mean([s.neighbours.mean() for s in found])),
    }
    for name, reference in areas.items():
        both = (area > 0) & (reference > 0)
        ratio = area[both] / reference[both]
        told[f"area over {name}'s"] = float(np.median(ratio))
        told[f"over twice {name}'s"] = float((ratio > 2).sum())
        told[f"under half {name}'s"] = float((ratio < 0.5).sum())
    if known:
        blank = np.zeros_like(frame)
        true = [blank if s.galaxy is None else s.galaxy for s in known]
        pairs = [
            (blank if s.galaxy is None else s.galaxy, t) for s, t in zip(found, true, strict=True)
        ]
        ious = [overlap(mask, t) for mask, t in pairs]
        ratio = np.array([mask.sum() / max(1, t.sum()) for mask, t in pairs])
        told |= {
            "overlap with the truth": float(np.median(ious)),
            "of the worst tenth": float(np.quantile(ious, 0.1)),
            "area over the truth's": float(np.median(ratio)),
            "over twice the truth's": float((ratio > 2).sum()),
            "neighbours found": float(
                np.mean(
                    [
                        (s.neighbours & k.neighbours).sum() / k.neighbours.sum()
                        for s, k in zip(found, known, strict=True)
                        if k.neighbours.any()
                    ]
                )
            ),
        }
    return told


def main() -> None:
    """Segment, compare, print and write."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    drawn = list(scenes(number))
    known_truth = [truth(scene) for scene in drawn]
    surveys = {
        "SDSS": (sdss(number), []),
        "DECaLS": (decals(number), []),
        "simulated": (
            [VIEW.display(Image.fromarray(scene.rgb)) for scene in drawn],
            known_truth,
        ),
        "simulated as SDSS": ([as_sdss(scene) for scene in drawn], known_truth),
    }
    results: dict[str, dict[str, dict[str, float]]] = {}
    for survey, (images, known) in surveys.items():
        found: dict[str, list[Segments]] = {}
        seconds: dict[str, float] = {}
        for name, method in METHODS.items():
            method(images[0])  # compiles
            start = time.perf_counter()
            found[name] = [method(pixels) for pixels in images]
            seconds[name] = time.perf_counter() - start
        areas = {
            name: np.array([0 if s.galaxy is None else s.galaxy.mean() for s in each])
            for name, each in found.items()
            if name != "zoolens"
        }
        results[survey] = {
            name: figures(each, {n: a for n, a in areas.items() if n != name}, known)
            | {"time over zoolens's": seconds[name] / seconds["zoolens"]}
            for name, each in found.items()
        }
        print(f"\n{survey}, {len(images)} images" + "".join(f"{name:>12}" for name in METHODS))
        for row in dict.fromkeys(row for each in results[survey].values() for row in each):
            cells = (results[survey][name].get(row) for name in METHODS)
            print(
                f"{row:<26}" + "".join("           –" if c is None else f"{c:12.3g}" for c in cells)
            )
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
