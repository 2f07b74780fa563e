"""The street: each thing is where its box and its mask say, and nothing is outside them."""

from __future__ import annotations

import pytest

from course_utils.scenes import street

SCENE = street()


@pytest.mark.parametrize("name", SCENE.boxes)
def test_a_box_is_the_smallest_around_its_mask(name):
    left, top, right, bottom = SCENE.boxes[name]
    mask = SCENE.masks[name]
    inside = mask[top:bottom, left:right]
    assert inside.sum() == mask.sum() > 100
    for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
        assert edge.any()


def test_things_do_not_cover_each_other():
    assert sum(mask.int() for mask in SCENE.masks.values()).max() == 1


def test_outside_the_things_there_are_sky_and_road_only():
    """But for their edges, where a thing and what is behind it mix."""
    covered = sum(mask.int() for mask in SCENE.masks.values()).bool()
    colours = SCENE.image[:, ~covered].T.unique(dim=0, return_counts=True)[1].sort().values
    assert colours[-2:].sum() > 0.97 * (~covered).sum()


def test_the_street_is_the_same_every_time():
    again = street()
    assert again.boxes == SCENE.boxes
    assert (again.image == SCENE.image).all()
