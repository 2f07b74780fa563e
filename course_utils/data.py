"""The pictures of the course. They come with it, and each file is verified when it is read."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import StudentFacingError

if TYPE_CHECKING:
    from torch import Tensor

ASSETS = Path(__file__).resolve().parent / "assets"
REMEDY = (
    "Restore it with `git checkout -- course_utils/assets`, or install the course again, "
    "or rebuild it with `python -m tools.build_assets`."
)


class DataError(StudentFacingError):
    """A file of the course is missing or damaged. The message names the file and the remedy."""


@dataclass(frozen=True)
class Stamps:
    """240 small pictures of eight kinds of things on white; most are photographs.

    Attributes:
        images: uint8 [240, 3, 128, 128]; red, green, blue.
        labels: int64 [240]; `classes[labels[i]]` is the class of picture i.
        classes: the eight class names, in alphabetical order.
        captions: a few words about each picture.
        imagenet: for each picture, the names of the ImageNet classes that are a right answer. The
            set is empty for 149 pictures, because ImageNet has no class for what they show.
        groups: int64 [240], a group number for each picture. Pictures of the same thing (four
            gnus, five apples) share a group, and so do some pictures that look nearly alike. Any
            other picture is alone in its group.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    captions: tuple[str, ...]
    imagenet: tuple[frozenset[str], ...]
    groups: Tensor


def read_assets(*names: str) -> list[bytes]:
    """Read files under course_utils/assets, and verify each file by its SHA-256.

    Args:
        names: paths relative to the folder `assets`, with forward slashes.

    Returns:
        The content of each file.

    Raises:
        DataError: a file is missing, can't be read, or isn't the file that came with the course.
    """
    expected = {}
    for line in _read("SHA256SUMS").decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        expected[name] = digest
    contents = []
    for name in names:
        content = _read(name)
        digest = hashlib.sha256(content).hexdigest()
        if digest != expected.get(name):
            raise DataError(
                f"{ASSETS / name} is damaged: it has SHA-256 {digest}, but SHA256SUMS says "
                f"{expected.get(name, 'nothing about it')}. {REMEDY}"
            )
        contents.append(content)
    return contents


def load_stamps() -> Stamps:
    """Load the 240 stamps, always in the same order.

    Raises:
        DataError: a picture or the list of pictures is missing or damaged.
    """
    import torch

    rows = [row for row in _pictures() if row["file"].startswith("stamps/")]
    blobs = read_assets(*(row["file"] for row in rows))
    kinds = [row["file"].split("/")[1] for row in rows]
    classes = tuple(sorted(set(kinds)))
    things = [row["group"] or row["file"] for row in rows]
    numbers = {thing: number for number, thing in enumerate(dict.fromkeys(things))}
    return Stamps(
        images=torch.stack([_decode(blob) for blob in blobs]),
        labels=torch.tensor([classes.index(kind) for kind in kinds]),
        classes=classes,
        captions=tuple(row["caption"] for row in rows),
        imagenet=tuple(frozenset(filter(None, row["imagenet"].split("|"))) for row in rows),
        groups=torch.tensor([numbers[thing] for thing in things]),
    )


def load_photograph(name: str) -> Tensor:
    """Load a photograph, which is larger than a stamp.

    Args:
        name: "cat", "coffee" or "rocket".

    Returns:
        A picture, uint8 [3, 256, W]; red, green, blue.

    Raises:
        DataError: the photograph is missing or damaged.
        ValueError: there is no photograph of this name.
    """
    files = [row["file"] for row in _pictures() if row["file"].startswith("photographs/")]
    file_names = {Path(file).stem: file for file in files}
    if name not in file_names:
        raise ValueError(f"There is no photograph {name!r}. There are: {', '.join(file_names)}.")
    return _decode(*read_assets(file_names[name]))


def split_per_class(
    labels: Tensor, per_class: int, seed: int, groups: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Split a data set at random into a few training examples of each class, and the rest.

    Args:
        labels: integers [N].
        per_class: the number of training examples of each class.
        seed: the seed of the random order. The same seed gives the same split.
        groups: integers [N], the group of each example. Examples of one group (near twins) stay
            on one side of the split. Groups are taken in random order. A group with more examples
            than are still wanted is left out of the training set.

    Returns:
        The indices of the training examples, `per_class` for each class, and the indices of all
        other examples. Both are in ascending order.

    Raises:
        ValueError: a class has too few examples to leave at least one outside the training set,
            or whole groups don't add up to `per_class`, or a group has examples of two classes.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique().tolist():
        members = (labels == label).nonzero().flatten()
        if not 0 < per_class < len(members):
            raise ValueError(
                f"Class {label} has {len(members)} examples, so per_class must be between 1 and "
                f"{len(members) - 1}, not {per_class}."
            )
        order = members[torch.randperm(len(members), generator=generator)]
        if groups is None:
            chosen[order[:per_class]] = True
        else:
            across = members[torch.isin(groups[members], groups[labels != label])]
            if len(across):
                raise ValueError(
                    f"Group {groups[across[0]]} has examples of class {label} and of another one. "
                    "Give the examples of each class a group of their own."
                )
            chosen[_whole_groups(order, groups, per_class, label)] = True
    return chosen.nonzero().flatten(), (~chosen).nonzero().flatten()


def _whole_groups(order: Tensor, groups: Tensor, wanted: int, label: int) -> list[int]:
    """Take `wanted` examples in whole groups, in the given order."""
    taken: list[int] = []
    for group in dict.fromkeys(groups[order].tolist()):
        members = order[groups[order] == group].tolist()
        if len(taken) + len(members) <= wanted:
            taken += members
    if len(taken) < wanted:
        raise ValueError(
            f"Class {label}: whole groups gave {len(taken)} training examples, not {wanted}. "
            "Take another seed, fewer examples per class, or smaller groups."
        )
    return taken


def _read(name: str) -> bytes:
    try:
        return (ASSETS / name).read_bytes()
    except FileNotFoundError:
        raise DataError(f"{ASSETS / name} is missing. {REMEDY}") from None
    except OSError as error:
        raise DataError(f"{ASSETS / name} can't be read: {error.strerror}. {REMEDY}") from error


def _pictures() -> list[dict[str, str]]:
    (table,) = read_assets("pictures.csv")
    return list(csv.DictReader(io.StringIO(table.decode("utf-8"))))


def _decode(blob: bytes) -> Tensor:
    """Decode the bytes of a JPEG file into uint8 [3, H, W]."""
    import numpy as np
    import torch
    from PIL import Image

    with Image.open(io.BytesIO(blob)) as picture:
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)
