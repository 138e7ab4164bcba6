"""A simulated sky: galaxy number i of a seed, with its picture, its votes and its truth.

Each galaxy has its own random streams, from (seed, number), one each for its place, its
parameters, its picture and its votes. So it is the same whatever else is simulated, and the
same galaxy if other volunteers look at it.
"""

import dataclasses
import io
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.sky.answers import answer_chances, visibilities
from zoolens.catalog.sky.galaxy import draw_galaxy
from zoolens.catalog.sky.population import FRAME_PIXELS, MAGNITUDE_LIMIT
from zoolens.catalog.sky.render import FEATURES, render
from zoolens.catalog.sky.truth import VISIBLE, encode_mask, vote_columns
from zoolens.catalog.sky.volunteers import Crowd, as_vector, cast_votes

# To be raised whenever the same seed gives another sky.
SKY_VERSION = 2
SOUTH_DEG, NORTH_DEG = -8.0, 32.0  # DECaLS, roughly


@dataclass(frozen=True)
class Sky:
    """The settings of a simulated sky.

    size: side of an image, pixel. magnitude_limit: faintest galaxy, r band; the survey's
    unless given, and brighter where galaxies are to be near, large and full of detail.
    """

    seed: int
    size: int = FRAME_PIXELS
    magnitude_limit: float = MAGNITUDE_LIMIT
    crowd: Crowd = Crowd()  # noqa: RUF009  # frozen


@dataclass(frozen=True)
class Observation:
    """One galaxy: its image as PNG, and its rows of the vote and truth tables."""

    name: str
    png: bytes
    votes: dict[str, object]
    truth: dict[str, object]


def observe(tree: DecisionTree, sky: Sky, number: int) -> Observation:
    """Simulate galaxy `number` of a sky."""
    streams = np.random.SeedSequence(sky.seed, spawn_key=(number,)).spawn(4)
    place, population, picture, answers = map(np.random.default_rng, streams)
    ra = float(place.uniform(0, 360))
    low, high = np.sin(np.radians([SOUTH_DEG, NORTH_DEG]))
    dec = float(np.degrees(np.arcsin(place.uniform(low, high))))
    name = iau_name(ra, dec)
    galaxy = draw_galaxy(population, sky.magnitude_limit)
    scene = render(picture, galaxy, sky.size)
    seen = visibilities(galaxy, scene)
    probabilities = as_vector(tree, answer_chances(galaxy, seen, scene.seeing))
    ballot = cast_votes(answers, tree, probabilities, sky.crowd)
    where = {"iauname": name, "ra": ra, "dec": dec}
    truth = where | dataclasses.asdict(galaxy)
    truth |= {"seeing": scene.seeing, "noise": scene.noise, "size": sky.size}
    truth |= {f"visibility_{feature}": seen[feature] for feature in VISIBLE}
    for label, chance, errors in zip(tree.labels, probabilities, ballot.errors, strict=True):
        truth[f"{label}_probability"], truth[f"{label}_errors"] = float(chance), int(errors)
    truth |= {"volunteers": ballot.volunteers, "misvoted": ballot.misvoted}
    for feature in FEATURES:
        mask = scene.masks.get(feature)
        truth[f"mask_{feature}"] = None if mask is None else encode_mask(mask)
    file = io.BytesIO()
    # images are mostly noise: looking for repetitions takes time and finds none
    Image.fromarray(scene.rgb).save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    votes = where | {"file_loc": image_path(name)} | vote_columns(tree, ballot.counts)
    return Observation(name, file.getvalue(), votes, truth)


def iau_name(ra: float, dec: float) -> str:
    """`J074547.59+255143.5`: position cut to 0.01 s and 0.1 arcsec, as the IAU asks."""
    # 1e-6 is added because 10.1 is not exact in binary, and truncation would show it
    hundredths = int(ra * 24000 + 1e-6)
    tenths = int(abs(dec) * 36000 + 1e-6)
    hours, minutes = divmod(hundredths // 100 // 60, 60)
    degrees, arcmin = divmod(tenths // 10 // 60, 60)
    return (
        f"J{hours:02d}{minutes:02d}{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
        f"{'-' if dec < 0 else '+'}"
        f"{degrees:02d}{arcmin:02d}{tenths // 10 % 60:02d}.{tenths % 10}"
    )


def image_path(name: str) -> str:
    """Where a galaxy's image is in the sky's folder; sub-folders as GZ DECaLS has."""
    return f"images/{name[:4]}/{name}.png"
