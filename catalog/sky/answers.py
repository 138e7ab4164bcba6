"""What volunteers would answer about a simulated galaxy, GZD-5's ten questions.

Each probability follows from the galaxy's true parameters and from how visible its
features are; constants are set so that the distribution of answers is close to Galaxy
Zoo DECaLS's (Walmsley et al. 2022).
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from zoolens.catalog.sky.galaxy import Galaxy
from zoolens.catalog.sky.render import Scene
from zoolens.catalog.sky.volunteers import visibility

Chances = dict[str, dict[str, float]]


def visibilities(galaxy: Galaxy, scene: Scene) -> dict[str, float]:
    """How visible each feature is, 0..1; 0 for what is not there.

    Contrast and signal are measured on the noise-free picture; sizes are the bar's
    length, the distance between arms, the width of a ring, the bulge's diameter, the
    thickness of a disc, the galaxy's diameter for debris and companions.
    """
    length = galaxy.scale_length
    between_arms = 2 * np.pi * 1.5 * length * np.tan(np.radians(galaxy.pitch_angle))
    between_arms *= np.sqrt(galaxy.axis_ratio) / max(galaxy.arm_count, 1)
    sizes = {
        "bar": 0.7 * galaxy.bar_length * np.sqrt(galaxy.axis_ratio),
        "arms": min(between_arms, 2 * length) / 1.5,
        "ring": 0.5 * galaxy.ring_radius * galaxy.axis_ratio,
        "clumps": 0.6 * length,
        "bulge": 2 * galaxy.bulge_radius,
        "tidal": galaxy.radius,
        "companion": 1.5 * galaxy.companion_radius,
    }
    light = scene.features["galaxy"] + scene.features.get("companion", np.float32(0))
    native = (scene.pixel / scene.native_pixel) ** 2  # native pixels under one of the picture's
    seen = dict.fromkeys(sizes, 0.0)
    for name, image in scene.features.items():
        flux = float(image.sum())
        if name in sizes and flux > 0:
            contrast = float((image * image / (light + 0.3 * scene.noise)).sum()) / flux
            signal = float(np.sqrt((image * image).sum() * native)) / scene.noise
            seen[name] = visibility(min(contrast, 1.0), signal, sizes[name] / scene.seeing)
    return seen


def answer_chances(galaxy: Galaxy, seen: Mapping[str, float], seeing: float) -> Chances:
    """Chance of each answer for a volunteer who is asked its question; seeing: FWHM, arcsec."""
    return {
        "smooth-or-featured": _featured(galaxy, seen, seeing),
        "disk-edge-on": _edge_on(galaxy, seeing),
        "has-spiral-arms": _spiral(galaxy, seen),
        "bar": _bar(galaxy, seen),
        "bulge-size": _bulge_size(galaxy, seen),
        "how-rounded": _rounded(galaxy, seeing),
        "edge-on-bulge": _edge_on_bulge(galaxy, seeing),
        "spiral-winding": _winding(galaxy, seen),
        "spiral-arm-count": _arm_count(galaxy, seen),
        "merging": _merging(galaxy, seen),
    }


def apparent_ratio(galaxy: Galaxy, seeing: float) -> float:
    """Axis ratio after seeing."""
    blur = (0.5 * seeing) ** 2
    long, short = galaxy.radius**2, (galaxy.axis_ratio * galaxy.radius) ** 2
    return float(np.sqrt((short + blur) / (long + blur)))


def edge_on_look(galaxy: Galaxy, seeing: float) -> float:
    """How much of an edge-on disc it looks, 0..1."""
    thin = _rise(0.32 - apparent_ratio(galaxy, seeing), 0.05)
    return float(thin * (1.0 if galaxy.family == "edge-on" else 0.75))


def _featured(galaxy: Galaxy, seen: Mapping[str, float], seeing: float) -> dict[str, float]:
    weights = {"arms": 1.0, "bar": 0.8, "ring": 0.7, "clumps": 0.6, "tidal": 0.45}
    hidden = np.prod([1 - weight * seen[name] for name, weight in weights.items()])
    hidden *= 1 - (0.8 if galaxy.family != "smooth" else 0.3) * edge_on_look(galaxy, seeing)
    evidence = 1 - float(hidden)
    disc = 0.06 if galaxy.family == "disc" else 0.0
    featured = 0.06 + 0.88 * _rise(evidence + disc - 0.55, 0.17)
    artefact = (
        0.85 if galaxy.artefact != "none" else 0.085 + 0.08 * (1 - evidence) * (galaxy.radius < 2.5)
    )
    return {
        "artifact": artefact,
        "featured-or-disk": (1 - artefact) * featured,
        "smooth": (1 - artefact) * (1 - featured),
    }


def _edge_on(galaxy: Galaxy, seeing: float) -> dict[str, float]:
    yes = 0.03 + 0.93 * edge_on_look(galaxy, seeing)
    return {"yes": yes, "no": 1 - yes}


def _spiral(galaxy: Galaxy, seen: Mapping[str, float]) -> dict[str, float]:
    hint = max(seen["arms"], 0.35 * seen["clumps"], 0.3 * seen["tidal"], 0.3 * seen["ring"])
    yes = 0.06 + 0.9 * _rise(hint - 0.14, 0.06)
    return {"yes": yes, "no": 1 - yes}


def _bar(galaxy: Galaxy, seen: Mapping[str, float]) -> dict[str, float]:
    found = _rise(seen["bar"] - 0.3, 0.1) if galaxy.bar != "no" else 0.0
    strong = found * (0.72 if galaxy.bar == "strong" else 0.12)
    weak = found * (0.22 if galaxy.bar == "strong" else 0.55)
    strong, weak = 0.04 + 0.93 * strong, 0.13 + 0.8 * weak
    return {"strong": strong, "weak": weak, "no": max(1 - strong - weak, 0.02)}


def _bulge_size(galaxy: Galaxy, seen: Mapping[str, float]) -> dict[str, float]:
    shares = _between(
        float(np.sqrt(galaxy.bulge_fraction)), (-0.06, 0.37, 0.68, 0.88), 0.1 - 0.04 * seen["bulge"]
    )
    return dict(zip(("none", "small", "moderate", "large", "dominant"), shares, strict=True))


def _rounded(galaxy: Galaxy, seeing: float) -> dict[str, float]:
    ratio = apparent_ratio(galaxy, seeing)
    cigar, between, round_ = _between(ratio, (0.35, 0.77), 0.07)
    return {"cigar-shaped": cigar, "in-between": between, "round": round_}


def _edge_on_bulge(galaxy: Galaxy, seeing: float) -> dict[str, float]:
    resolved = _rise(galaxy.bulge_radius / seeing - 0.7, 0.2)
    size = _rise(galaxy.bulge_fraction - 0.1, 0.04)
    boxy = (0.05 + 0.6 * resolved) if galaxy.edge_on_bulge == "boxy" else 0.05
    none = 0.05 + 0.62 * (1 - size)
    return {"boxy": boxy * size + 0.03, "none": none, "rounded": max(1 - boxy - none, 0.08)}


def _winding(galaxy: Galaxy, seen: Mapping[str, float]) -> dict[str, float]:
    blur = 6.0 - 2.5 * seen["arms"]
    pitch = galaxy.pitch_angle if galaxy.arm_count else 17.0
    tight, medium, loose = _between(pitch, (20.5, 30.0), blur)
    return {"tight": tight, "medium": medium, "loose": loose}


def _arm_count(galaxy: Galaxy, seen: Mapping[str, float]) -> dict[str, float]:
    clear = 0.15 + 0.75 * seen["arms"] if galaxy.arm_count else 0.05
    names = ("1", "2", "3", "4", "more-than-4")
    away = np.arange(1, 6) - min(max(galaxy.arm_count, 1), 5)
    spread = np.exp(-0.5 * (away / 0.55) ** 2)
    prior = np.array([0.03, 0.52, 0.22, 0.1, 0.13])
    shares = clear * spread / spread.sum() + (1 - clear) * 0.4 * prior
    return dict(zip(names, shares.tolist(), strict=True)) | {"cant-tell": (1 - clear) * 0.6}


def _merging(galaxy: Galaxy, seen: Mapping[str, float]) -> dict[str, float]:
    tidal, pair = seen["tidal"], seen["companion"]
    merger = 0.045 + 0.8 * _rise(pair - 0.35, 0.1) * (galaxy.companion_flux > 0)
    strength = {"none": 0.0, "minor": 0.35, "major": 0.9, "merger": 0.5}[galaxy.disturbance]
    disturbed = _rise(tidal - 0.3, 0.1) * (galaxy.disturbance != "none")
    rest = 1 - min(merger, 0.95)
    major = rest * (0.012 + 0.75 * disturbed * strength)
    minor = rest * (0.08 + 0.55 * disturbed * (1 - strength))
    return {
        "merger": merger,
        "major-disturbance": major,
        "minor-disturbance": minor,
        "none": max(1 - merger - major - minor, 0.02),
    }


def _rise(value: float, width: float) -> float:
    """Logistic from 0 to 1."""
    return float(1 / (1 + np.exp(-np.clip(value / width, -50, 50))))


def _between(value: float, edges: Sequence[float], width: float) -> list[float]:
    """Shares of ordered answers whose borders are `edges`, blurred by `width`."""
    above = [1.0, *(_rise(value - edge, width) for edge in edges), 0.0]
    return [high - low for high, low in itertools.pairwise(above)]
