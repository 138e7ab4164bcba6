"""One simulated galaxy: its true shape, drawn from published distributions.

Angles are in rad, counter-clockwise from the x axis of the image, sizes in arcsec.
"""

import dataclasses
from typing import Any

import numpy as np

from zoolens.catalog.sky.population import MAGNITUDE_LIMIT, Generator, draw_member, frame_scale

EDGE_ON = 0.13  # cosine of the inclination below which a disc is drawn as edge-on
# Half-light radius in scale lengths of discs that become steeper by such a factor at a
# break at 2.5 scale lengths; 1.678 without
HALF_LIGHT = {2.1: 1.42, 1.0: 1.678, 0.6: 2.18}
# Shares of those three, bluer discs (Pohlen & Trujillo 2006) and redder (Gutiérrez et al. 2011)
BREAKS = {False: (0.6, 0.1, 0.3), True: (0.3, 0.3, 0.4)}


@dataclasses.dataclass(frozen=True)
class Galaxy:
    """The true parameters of one galaxy and of what happened to its picture.

    family: smooth (one Sérsic profile), disc (seen at `inclination`) or edge-on.
    radius: half-light radius along the major axis. frame_scale: arcsec per pixel of the
    424-pixel frame. Fractions of flux, 0 where there is none: tidal debris of the
    whole, bulge of the rest, bar, ring and clumps of the disc, arms of what is left of
    it. scale_length: of the disc; beyond break_radius it is divided by break_factor.
    bar_length: semi-length. arm_count: 0 where there are no arms, 5 and more where they
    are flocculent. pitch_angle: deg. disturbance: none, minor, major or merger.
    companion_*: place (arcsec from the centre), flux in units of the galaxy's,
    half-light radius. artefact: none, star, trail or band.
    """

    redshift: float
    absolute_magnitude: float
    magnitude: float
    red: bool
    g_r: float
    r_z: float
    radius: float
    frame_scale: float
    family: str
    position_angle: float
    sersic_index: float
    axis_ratio: float
    inclination: float
    scale_length: float
    bulge_fraction: float
    bulge_radius: float
    edge_on_bulge: str
    bar: str
    bar_fraction: float
    bar_length: float
    bar_angle: float
    ring_fraction: float
    ring_radius: float
    break_radius: float
    break_factor: float
    arm_count: int
    arm_fraction: float
    pitch_angle: float
    arm_sense: int
    clump_fraction: float
    dust: float
    disturbance: str
    tidal_fraction: float
    companion_x: float
    companion_y: float
    companion_flux: float
    companion_radius: float
    artefact: str


def draw_galaxy(rng: Generator, limit: float = MAGNITUDE_LIMIT) -> Galaxy:
    """One galaxy of the sample; limit: faintest r magnitude."""
    member = draw_member(rng, limit)
    shape = _shape(rng, member.red)
    # published sizes, and those that set the frames, are of circles
    radius = float(member.radius / np.sqrt(max(shape["axis_ratio"], 0.3)))
    values: dict[str, Any] = dataclasses.asdict(member) | {
        "radius": radius,
        "frame_scale": frame_scale(member.radius, 3.0 if member.red else 2.4),
        "position_angle": float(rng.uniform(0, np.pi)),
    }
    values |= shape
    values |= _bulge(rng, values)
    values |= _bar(rng, values)
    values |= _arms(rng, values)
    values |= _disturbance(rng, values)
    values["artefact"] = str(
        rng.choice(["none", "star", "trail", "band"], p=[0.975, 0.01, 0.01, 0.005])
    )
    return Galaxy(**values)


def _shape(rng: Generator, red: bool) -> dict[str, Any]:
    """Smooth, disc or edge-on; thickness and inclination.

    Ellipticals' axis ratios: a Gaussian about 0.75 (Padilla & Strauss 2008), with a
    tail of flat ones. Discs: thickness 0.2 (Binney & de Vaucouleurs 1981;
    Padilla & Strauss 2008), and somewhat fewer inclined ones than isotropy gives, since
    dust dims them below the limit.
    """
    smooth = rng.random() < (0.62 if red else 0.2)
    cos_inclination = float(rng.random() ** 0.8)
    thickness = float(np.clip(rng.normal(0.2, 0.04), 0.08, 0.35))
    edge_on = not smooth and cos_inclination < EDGE_ON
    if smooth:
        cigar = rng.random() < 0.12
        ratio = np.clip(rng.normal(0.35, 0.08) if cigar else rng.normal(0.78, 0.15), 0.2, 1)
        index = np.clip(rng.normal(3.6 if red else 1.8, 0.9), 0.8, 5)
    else:
        ratio = np.sqrt(cos_inclination**2 * (1 - thickness**2) + thickness**2)
        index = 1.0
    return {
        "family": "smooth" if smooth else "edge-on" if edge_on else "disc",
        "sersic_index": float(index),
        "axis_ratio": thickness if edge_on else float(ratio),
        "inclination": float(np.arccos(cos_inclination)),
    }


def _bulge(rng: Generator, galaxy: dict[str, Any]) -> dict[str, Any]:
    """Bulges, larger in red discs (Simard et al. 2011), and what is left to the disc.

    Beyond their break most discs are steeper (Pohlen & Trujillo 2006), so that half
    the light of such a disc lies within fewer scale lengths.
    """
    red, radius = galaxy["red"], galaxy["radius"]
    fraction = float(rng.beta(2.0, 3.6) if red else rng.beta(1.3, 5.2))
    kind = "absent"
    if galaxy["family"] == "edge-on":
        kind = str(rng.choice(["rounded", "none", "boxy"], p=[0.66, 0.2, 0.14]))
        fraction = 0.0 if kind == "none" else max(fraction, 0.12)
    steeper = float(rng.choice(list(HALF_LIGHT), p=BREAKS[red]))
    length = radius / HALF_LIGHT[steeper] * (1 + 0.5 * fraction)
    return {
        "scale_length": length,
        "break_radius": float(length * rng.uniform(1.8, 3.2)),
        "break_factor": steeper,
        "bulge_fraction": 0.0 if galaxy["family"] == "smooth" else fraction,
        "bulge_radius": float(radius * (0.08 + 0.3 * fraction) * np.exp(rng.normal(0, 0.2))),
        "edge_on_bulge": kind,
        "dust": float(rng.gamma(1.5, 0.5)) if kind != "absent" and not red else 0.0,
    }


def _bar(rng: Generator, galaxy: dict[str, Any]) -> dict[str, Any]:
    """Bars and rings.

    Bars in 40 % of discs, a third of them strong, more where red (Masters et al. 2011).

    Strong and weak shares as in Géron et al. 2021; semi-lengths about one to two scale
    lengths (Gadotti 2011), bulges of strongly barred discs small. A ring often stands
    at the bar's end (Buta 2017).
    """
    strong, weak = (0.22, 0.26) if galaxy["red"] else (0.1, 0.26)
    kind = str(rng.choice(["strong", "weak", "no"], p=[strong, weak, 1 - strong - weak]))
    if galaxy["family"] != "disc":
        kind = "no"
    length = galaxy["scale_length"] * rng.uniform(*((1.3, 2.3) if kind == "strong" else (0.8, 1.4)))
    fraction = rng.uniform(*((0.18, 0.36) if kind == "strong" else (0.07, 0.16)))
    chance = {"strong": 0.6, "weak": 0.35, "no": 0.2}[kind]
    ringed = galaxy["family"] == "disc" and rng.random() < chance
    inner = kind != "no" and rng.random() < 0.6
    at = length * rng.uniform(1, 1.2) if inner else galaxy["scale_length"] * rng.uniform(1.6, 2.6)
    return {
        "bar": kind,
        "bulge_fraction": galaxy["bulge_fraction"] * {"strong": 0.6, "weak": 0.8, "no": 1}[kind],
        "bar_fraction": float(fraction) if kind != "no" else 0.0,
        "bar_length": float(length) if kind != "no" else 0.0,
        "bar_angle": float(rng.uniform(0, np.pi)),
        "ring_fraction": float(rng.uniform(0.06, 0.22)) if ringed else 0.0,
        "ring_radius": float(at),
    }


def _arms(rng: Generator, galaxy: dict[str, Any]) -> dict[str, Any]:
    """Spiral arms: numbers as Hart et al. 2016, pitch angles about 20 deg (Hart et al. 2017).

    Faint blue discs are clumpy rather than spiral.
    """
    red, absolute = galaxy["red"], galaxy["absolute_magnitude"]
    chance = 0.5 if red else 0.9 / (1 + np.exp((absolute + 18.7) / 0.5))
    spiral = galaxy["family"] == "disc" and rng.random() < chance
    count = int(rng.choice([1, 2, 3, 4, 5, 6, 7], p=[0.03, 0.49, 0.17, 0.08, 0.1, 0.07, 0.06]))
    strength = rng.beta(2.2, 4.5) * (0.5 if red else 0.9)
    clumps = 0.0 if red else rng.gamma(1.2, 0.04) * (1 if spiral else 2)
    return {
        "arm_count": count if spiral else 0,
        "arm_fraction": float(0.04 + strength) if spiral else 0.0,
        "pitch_angle": float(np.clip(rng.normal(19, 7.5), 6, 42)),
        "arm_sense": int(rng.choice([-1, 1])),
        "clump_fraction": float(min(clumps, 0.35)) if galaxy["family"] != "smooth" else 0.0,
    }


def _disturbance(rng: Generator, galaxy: dict[str, Any]) -> dict[str, Any]:
    """Tidal debris and companions: pairs a few per cent (Patton et al. 2000; Darg et al. 2010)."""
    kind = str(rng.choice(["none", "minor", "major", "merger"], p=[0.87, 0.06, 0.035, 0.035]))
    debris = {"none": 0.0, "minor": 0.07, "major": 0.2, "merger": 0.12}[kind]
    away = galaxy["radius"] * rng.uniform(0.9, 2.6)
    angle = rng.uniform(0, 2 * np.pi)
    ratio = rng.uniform(0.15, 1)
    merger = kind == "merger"
    return {
        "disturbance": kind,
        "tidal_fraction": float(debris * rng.uniform(0.5, 1.6)),
        "companion_x": float(away * np.cos(angle)) if merger else 0.0,
        "companion_y": float(away * np.sin(angle)) if merger else 0.0,
        "companion_flux": float(ratio) if merger else 0.0,
        "companion_radius": float(galaxy["radius"] * ratio**0.5 * rng.uniform(0.5, 0.9))
        if merger
        else 0.0,
    }
