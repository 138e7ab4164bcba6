"""Light that is not a round profile: discs, arms, bars, rings, edge-on discs, debris.

All are drawn before seeing, as images (N, N) of flux 1, on a `Grid`.
"""

from dataclasses import dataclass

import numpy as np

from zoolens.catalog.arrays import Floats32
from zoolens.catalog.sky.galaxy import Galaxy
from zoolens.catalog.sky.grid import Grid, splat
from zoolens.catalog.sky.population import Generator


@dataclass(frozen=True)
class Plane:
    """Coordinates in the plane of an inclined disc, in arcsec: u along the major axis."""

    u: Floats32
    v: Floats32
    radius: Floats32
    angle: Floats32


def plane(grid: Grid, galaxy: Galaxy, lopsided: float = 0.0, towards: float = 0.0) -> Plane:
    """The plane of the galaxy's disc; lopsided: m = 1 distortion of the radius."""
    along, across = rotated(grid, galaxy.position_angle)
    across = across / np.float32(galaxy.axis_ratio)
    radius = np.sqrt(along * along + across * across)
    angle = np.arctan2(across, along)
    if lopsided:
        radius = radius * (1 + np.float32(lopsided) * np.cos(angle - np.float32(towards)))
    return Plane(along, across, radius, angle)


def rotated(
    grid: Grid, angle: float, at: tuple[float, float] = (0.0, 0.0)
) -> tuple[Floats32, Floats32]:
    """Coordinates (N, N) along and across a direction, from a point."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y = grid.x - np.float32(at[0]), grid.y - np.float32(at[1])
    return x * cos + y * sin, y * cos - x * sin


def unit(image: Floats32) -> Floats32:
    """The image with flux 1."""
    total = image.sum(dtype=np.float64)
    return (image / np.float32(total)).astype(np.float32) if total > 0 else image


def exponential(disc: Plane, galaxy: Galaxy) -> Floats32:
    """An exponential disc (Freeman 1970) with a break, and darker where a ring or bar swept."""
    decline = disc.radius * np.float32(1 / galaxy.scale_length)
    beyond = np.maximum(disc.radius - np.float32(galaxy.break_radius), 0)
    decline += beyond * np.float32((galaxy.break_factor - 1) / galaxy.scale_length)
    light = np.exp(-decline)
    if galaxy.ring_fraction or galaxy.bar == "strong":
        gap = 0.75 * galaxy.ring_radius if galaxy.ring_fraction else 0.7 * galaxy.bar_length
        inside = (disc.radius / np.float32(gap) - 1) ** 2
        light *= 1 - np.float32(0.55) * np.exp(np.float32(-6) * inside)
    return unit(light)


def arms(rng: Generator, disc: Plane, galaxy: Galaxy) -> Floats32:
    """Logarithmic spiral arms that begin at the bar's end and fade outwards.

    The crest of arm j lies at angle = sense ln(radius) / tan(pitch) + 2 pi j / count,
    bent by a few random waves, strongly where arms are flocculent (5 and more).
    """
    count, length = galaxy.arm_count, galaxy.scale_length
    flocculent = count >= 5
    phase = disc.angle - np.float32(galaxy.arm_sense / np.tan(np.radians(galaxy.pitch_angle))) * (
        np.log(disc.radius + np.float32(0.05 * length))
    )
    phase += np.float32(galaxy.bar_angle - 2 * galaxy.arm_sense)
    reach = (1.4 if flocculent else 0.3) / count
    strength = np.ones_like(phase)
    for _ in range(3):
        wave = rng.normal(0, (1.8 if flocculent else 0.8) / length, 2).astype(np.float32)
        ripple = np.sin(wave[0] * disc.u + wave[1] * disc.v + np.float32(rng.uniform(0, 2 * np.pi)))
        phase += np.float32(reach) * ripple
        strength += np.float32(0.3 if flocculent else 0.2) * ripple
    # arms of one galaxy differ: one may be half as bright as its neighbour
    weight = np.float32(rng.uniform(0, 0.25 if count == 2 else 0.4))
    strength *= 1 + weight * np.cos(phase + np.float32(rng.uniform(0, 2 * np.pi)))
    crest = np.exp(np.float32(rng.uniform(1.5, 3.5)) * (np.cos(count * phase) - 1))
    begin = max(galaxy.bar_length, 0.5 * length)
    end = length * rng.uniform(2.4, 3.6)
    envelope = np.exp(disc.radius * np.float32(-1 / (1.35 * length)))
    envelope /= 1 + np.exp((begin - disc.radius) * np.float32(6 / length))
    envelope /= 1 + np.exp(np.minimum((disc.radius - end) * np.float32(3 / length), 60))
    return unit(envelope * crest * np.maximum(strength, 0))


def bar(disc: Plane, galaxy: Galaxy) -> Floats32:
    """A flat-topped, boxy bar: generalised ellipses (Athanassoula et al. 1990)."""
    cos, sin = np.float32(np.cos(galaxy.bar_angle)), np.float32(np.sin(galaxy.bar_angle))
    along = np.abs(disc.u * cos + disc.v * sin) * np.float32(1 / galaxy.bar_length)
    width = galaxy.bar_length * (0.27 if galaxy.bar == "strong" else 0.42)
    across = np.abs(disc.v * cos - disc.u * sin) * np.float32(1 / width)
    shape = along ** np.float32(2.5) + across ** np.float32(2.5)
    return unit(np.exp(-1.6 * shape))


def ring(disc: Plane, galaxy: Galaxy) -> Floats32:
    """A ring, Gaussian across."""
    width = 0.17 * galaxy.ring_radius
    return unit(
        np.exp(-(((disc.radius - np.float32(galaxy.ring_radius)) / np.float32(width)) ** 2))
    )


def clumps(rng: Generator, grid: Grid, where: Floats32, number: int) -> Floats32:
    """Star-forming knots: points strewn over an image in proportion to its light.

    Luminosities follow a power law of slope -1.8 (Kennicutt et al. 1989).
    """
    share = np.cumsum(where.ravel(), dtype=np.float64)
    place = np.searchsorted(share, rng.random(number) * share[-1])
    rows, columns = np.divmod(np.minimum(place, where.size - 1), grid.side)
    light = np.minimum(rng.pareto(0.8, number) + 1, 40)
    image = np.zeros_like(where)
    for _ in range(3):  # a complex of a few points, wider than one
        row, column = (at + rng.normal(0, 1.2, number) for at in (rows, columns))
        splat(image, column, row, light)
    return unit(image)


def edge_on_disc(grid: Grid, galaxy: Galaxy) -> Floats32:
    """An edge-on exponential disc (van der Kruit & Searle 1981): R K1(R) sech^2(z)."""
    from scipy.special import k1

    along, height = rotated(grid, galaxy.position_angle)
    radii = np.linspace(0, 25, 2000)
    profile = np.concatenate([[1.0], radii[1:] * k1(radii[1:])]).astype(np.float32)
    place = np.minimum(np.abs(along) * np.float32(80 / galaxy.scale_length), 1999)
    flat = profile[place.astype(np.int32)]
    thick = max(galaxy.axis_ratio, 0.08) * 1.1 * galaxy.scale_length
    return unit(flat / np.cosh(np.clip(height / np.float32(thick), -20, 20)) ** 2)


def dust_lane(grid: Grid, galaxy: Galaxy, disc: Floats32) -> Floats32:
    """The light that a lane in the mid-plane takes from an edge-on disc, not normalised."""
    along, height = rotated(grid, galaxy.position_angle)
    thick = np.float32(0.12 * galaxy.axis_ratio / 0.2 * galaxy.scale_length)
    depth = np.exp(-((height / thick) ** 2) - np.abs(along) / np.float32(2 * galaxy.scale_length))
    return (disc * (1 - np.exp(np.float32(-galaxy.dust) * depth))).astype(np.float32)


def boxy_bulge(grid: Grid, galaxy: Galaxy) -> Floats32:
    """A box or peanut: superellipses that are pinched on the minor axis."""
    along, height = rotated(grid, galaxy.position_angle)
    size = np.float32(galaxy.bulge_radius)
    pinch = 1 + np.float32(0.35) * np.exp(-((np.abs(along) / size - 1.2) ** 2) * 2)
    box = (np.abs(along) / (np.float32(1.5) * size)) ** 4
    box += (np.abs(height) / (np.float32(0.85) * size * pinch)) ** 4
    return unit(np.exp(-np.float32(1.7) * np.sqrt(np.sqrt(box))))


def debris(rng: Generator, grid: Grid, galaxy: Galaxy) -> Floats32:
    """Tidal tails, and shells with sharp outer edges (Malin & Carter 1983)."""
    tails = 2 if galaxy.disturbance in ("major", "merger") else 1
    out = np.zeros((grid.side, grid.side), dtype=np.float32)
    towards = (
        float(np.arctan2(galaxy.companion_y, galaxy.companion_x))
        if galaxy.companion_flux
        else float(rng.uniform(0, 2 * np.pi))
    )
    distance = np.sqrt(grid.x**2 + grid.y**2) + np.float32(0.05)
    angle = np.arctan2(grid.y + np.float32(0) * grid.x, grid.x)
    if galaxy.family == "smooth" and rng.random() < 0.5:
        for step in range(int(rng.integers(1, 4))):
            edge = galaxy.radius * (1.6 + 0.8 * step + rng.uniform(0, 0.4))
            inside = np.exp(np.minimum(distance - np.float32(edge), 0) / np.float32(0.12 * edge))
            lit = np.exp(-((_turn(angle - np.float32(towards + np.pi * step)) / 0.7) ** 2))
            out += inside * (distance < edge) * lit / np.float32(1 + step)
        return unit(out)
    for tail in range(tails):
        out += _tail(rng, galaxy, distance, angle, towards + np.pi * tail) * np.float32(
            1.0 if tail == 0 else rng.uniform(0.3, 1)
        )
    return unit(out)


def _tail(
    rng: Generator, galaxy: Galaxy, distance: Floats32, angle: Floats32, towards: float
) -> Floats32:
    """A stream that leaves the galaxy in one direction and curls."""
    start = galaxy.radius * rng.uniform(0.6, 1.1)
    end = galaxy.radius * rng.uniform(2.5, 5)
    curl = galaxy.arm_sense * rng.uniform(0.1, 1.1)
    crest = np.float32(towards) + np.float32(curl) * np.log(distance / np.float32(start))
    aside = _turn(angle - crest) * distance
    width = np.float32(galaxy.radius * rng.uniform(0.15, 0.35)) * (
        1 + distance / np.float32(4 * galaxy.radius)
    )
    along = np.exp(-distance / np.float32(1.3 * galaxy.radius))
    along /= 1 + np.exp((np.float32(start) - distance) * np.float32(6 / galaxy.radius))
    along /= 1 + np.exp(
        np.minimum((distance - np.float32(end)) * np.float32(4 / galaxy.radius), 60)
    )
    return along * np.exp(-((aside / width) ** 2))


def _turn(angle: Floats32) -> Floats32:
    """An angle brought to -pi .. pi."""
    turned: Floats32 = np.remainder(angle + np.float32(np.pi), np.float32(2 * np.pi))
    return turned - np.float32(np.pi)
