"""Pixels of a gallery: overlays, outlines, smaller views."""

import numpy as np
import pytest
from scipy import ndimage

from tests.made.galleries import (
    saliency,
)
from zoolens.catalog.release.gallery.images import MOST_SIDE, OPAQUE, outline, overlay, shrunk


def test_no_pixel_is_in_both_overlays() -> None:
    maps = saliency(1)[0, 0]
    both = [overlay(maps, sign, 50)[..., 3] > 0 for sign in (1, -1)]
    assert not (both[0] & both[1]).any()
    assert all(some.any() for some in both)


def test_a_map_of_nothing_is_transparent() -> None:
    assert not overlay(np.zeros((3, 3)), 1, 16)[..., 3].any()


def test_a_map_that_adds_up_to_little_is_faint() -> None:
    strong, little = np.full((4, 4), 0.1), np.full((4, 4), 0.0005 / 16)
    assert overlay(strong, 1, 16)[..., 3].max() == round(255 * OPAQUE)
    assert overlay(little, 1, 16)[..., 3].max() == round(255 * OPAQUE * 0.01)
    assert not overlay(strong, -1, 16)[..., 3].any()


def test_large_views_are_shown_smaller() -> None:
    large = np.zeros((900, 900, 3), np.uint8)
    large[450:] = 255
    small = shrunk(large, MOST_SIDE)
    assert small.shape == (MOST_SIDE, MOST_SIDE, 3)
    assert (small[:200] == 0).all()
    assert (small[-200:] == 255).all()
    same = np.zeros((64, 64, 3), np.uint8)
    assert shrunk(same, 64) is same


def test_an_outline_is_the_edge_of_its_segment() -> None:
    y, x = np.mgrid[:64, :64]
    segment = (x - 30) ** 2 + (y - 34) ** 2 < 15**2
    line = outline(segment, 128)[..., 3] > 0
    y, x = np.mgrid[:128, :128] / 2
    far = np.hypot(x - 30, y - 34)
    assert far[line].min() > 12
    assert far[line].max() < 16
    assert ndimage.label(line, np.ones((3, 3)))[1] == 1
    inside = ndimage.binary_fill_holes(line)
    assert inside.sum() / 4 == pytest.approx(segment.sum(), rel=0.05)


def test_a_segment_of_the_whole_image_has_no_edge() -> None:
    assert not outline(np.ones((20, 20), np.bool_), 40).any()
