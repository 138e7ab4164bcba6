"""The parts of a galaxy's light: their shapes, before seeing, and their colours.

Old stars in bulge and bar, a bluer disc, blue arms and knots. Parts add up.
"""

from dataclasses import dataclass, field

import numpy as np

from zoolens.catalog.arrays import Floats32
from zoolens.catalog.sky import discs as sky_discs
from zoolens.catalog.sky.field import nanomaggies
from zoolens.catalog.sky.galaxy import Galaxy
from zoolens.catalog.sky.grid import Grid, Waves
from zoolens.catalog.sky.population import Generator

PARTS = ("bulge", "disc", "arms", "clumps", "bar", "ring", "tidal", "companion")


@dataclass
class Light:
    """Transforms of flux 1 and fluxes in g, r, z (3,) by part, nanomaggies.

    Beside PARTS: `spheroid`, all of a smooth galaxy, and `dust`, which is negative.
    """

    whole: Floats32
    shapes: dict[str, Waves] = field(default_factory=dict)
    fluxes: dict[str, Floats32] = field(default_factory=dict)

    def add(self, name: str, shape: Waves, share: float, redder: float = 0.0) -> None:
        """Add a part with a share of the galaxy's r-band flux.

        redder: mag in g - r against the whole; r - z follows at 0.7 of it.
        """
        self.shapes[name] = shape
        tint = 10 ** (0.4 * np.array([-redder, 0, 0.7 * redder]))
        self.fluxes[name] = (self.whole * share * tint).astype(np.float32)


def draw_light(rng: Generator, canvas: Grid, galaxy: Galaxy) -> Light:
    """The light of a galaxy and of its companion."""
    light = Light(nanomaggies(galaxy.magnitude, galaxy.g_r, galaxy.r_z))
    remaining = 1 - galaxy.tidal_fraction
    if galaxy.tidal_fraction:
        debris = canvas.transform(sky_discs.debris(rng, canvas, galaxy))
        light.add("tidal", debris, galaxy.tidal_fraction, -0.08)
    if galaxy.companion_flux:
        light.add(
            "companion",
            _companion(rng, canvas, galaxy),
            galaxy.companion_flux,
            float(rng.normal(0, 0.1)),
        )
    if galaxy.family == "smooth":
        radius = galaxy.radius * petrosian_loss(galaxy.sersic_index)
        shape = canvas.sersic(galaxy.sersic_index, radius, galaxy.axis_ratio, galaxy.position_angle)
        light.add("spheroid", shape, remaining)
        return light
    if galaxy.bulge_fraction:
        reddening = 0.05 if galaxy.red else 0.2
        light.add("bulge", _bulge(canvas, galaxy), remaining * galaxy.bulge_fraction, reddening)
        remaining *= 1 - galaxy.bulge_fraction
    if galaxy.family == "edge-on":
        _add_edge_on(rng, canvas, galaxy, light, remaining)
    else:
        _add_disc(rng, canvas, galaxy, light, remaining)
    return light


def petrosian_loss(index: float) -> float:
    """Half-light radius of a Sérsic profile in units of its Petrosian one.

    Graham et al. 2005: about 1.0 at n = 1, 1.4 at n = 4.
    """
    return 1 + 0.13 * max(index - 1, 0)


def _companion(rng: Generator, canvas: Grid, galaxy: Galaxy) -> Waves:
    return canvas.sersic(
        float(rng.uniform(0.8, 3)),
        galaxy.companion_radius,
        float(rng.uniform(0.35, 1)),
        float(rng.uniform(0, np.pi)),
        (galaxy.companion_x, galaxy.companion_y),
    )


def _bulge(canvas: Grid, galaxy: Galaxy) -> Waves:
    if galaxy.edge_on_bulge == "boxy":
        return canvas.transform(sky_discs.boxy_bulge(canvas, galaxy))
    index = 1.5 + 4 * galaxy.bulge_fraction
    flat = 0.75 if galaxy.family == "edge-on" else 0.7 + 0.3 * galaxy.axis_ratio
    return canvas.sersic(index, galaxy.bulge_radius, flat, galaxy.position_angle)


def _add_edge_on(rng: Generator, canvas: Grid, galaxy: Galaxy, light: Light, share: float) -> None:
    disc = sky_discs.edge_on_disc(canvas, galaxy)
    knots = galaxy.clump_fraction
    light.add("disc", canvas.transform(disc), share * (1 - knots), -0.02)
    if knots:
        clumps = canvas.transform(sky_discs.clumps(rng, canvas, disc, 60))
        light.add("clumps", clumps, share * knots, -0.2)
    if galaxy.dust:
        lane = sky_discs.dust_lane(canvas, galaxy, disc)
        light.add("dust", canvas.transform(lane), -share * (1 - knots), -0.12)


def _add_disc(rng: Generator, canvas: Grid, galaxy: Galaxy, light: Light, share: float) -> None:
    disturbed = galaxy.disturbance != "none"
    lopsided = 0.25 * rng.random() if disturbed else 0.05 * rng.random()
    disc = sky_discs.plane(canvas, galaxy, lopsided, float(rng.uniform(0, 2 * np.pi)))
    smooth = sky_discs.exponential(disc, galaxy)
    if galaxy.bar_fraction:
        reddening = 0.04 if galaxy.red else 0.14
        bar = canvas.transform(sky_discs.bar(disc, galaxy))
        light.add("bar", bar, share * galaxy.bar_fraction, reddening)
    if galaxy.ring_fraction:
        ring = canvas.transform(sky_discs.ring(disc, galaxy))
        light.add("ring", ring, share * galaxy.ring_fraction, -0.12)
    rest = share * (1 - galaxy.bar_fraction - galaxy.ring_fraction - galaxy.clump_fraction)
    knotted = smooth
    if galaxy.arm_count:
        knotted = sky_discs.arms(rng, disc, galaxy)
        arms = canvas.transform(knotted)
        light.add("arms", arms, rest * galaxy.arm_fraction, -0.06 if galaxy.red else -0.13)
    if galaxy.clump_fraction:
        knots = sky_discs.clumps(rng, canvas, knotted, 40 if galaxy.arm_count else 25)
        light.add("clumps", canvas.transform(knots), share * galaxy.clump_fraction, -0.22)
    light.add("disc", canvas.transform(smooth), rest * (1 - galaxy.arm_fraction))
