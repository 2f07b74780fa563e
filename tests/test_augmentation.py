"""The augmentation explorer's Python side: what it refuses, and whom it asks."""

from __future__ import annotations

import pytest
import torch

from course_utils.interactives import AugmentationExplorer

PICTURE = torch.arange(3 * 224 * 224).reshape(3, 224, 224).remainder(251).byte()


def darkness(picture):
    return [("dark", 1 - picture.float().mean().item() / 255)]


def test_the_first_picture_is_shown_and_classified_before_anybody_plays():
    explorer = AugmentationExplorer({"a": PICTURE, "b": PICTURE.flip(1)}, darkness)
    assert explorer.name == "a"
    assert torch.equal(explorer.picture, PICTURE)
    assert explorer.answer == [["dark", pytest.approx(darkness(PICTURE)[0][1])]]


def test_it_asks_again_about_what_the_browser_sends():
    explorer = AugmentationExplorer({"a": PICTURE}, darkness)
    explorer._receive(explorer, {}, [memoryview(bytes(224 * 224 * 3))])
    assert explorer.answer == [["dark", 1.0]]
    assert explorer.picture.shape == (3, 224, 224)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ({}, "at least one picture"),
        ({"a": PICTURE.float()}, "'a' must be uint8.*not torch.float32"),
        ({"a": PICTURE[:, :100]}, r"not torch.uint8 \[3, 100, 224\]: resize and crop it first"),
    ],
)
def test_refuses_what_it_cannot_show(pictures, message):
    with pytest.raises(ValueError, match=message):
        AugmentationExplorer(pictures, darkness)
