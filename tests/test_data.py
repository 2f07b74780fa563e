"""The pictures load as documented, and a damaged file is refused with a remedy."""

from __future__ import annotations

import csv
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data, models

COUNTS = {
    "bird": 35,
    "flower": 24,
    "fruit": 23,
    "household": 33,
    "mammal": 66,
    "roadsign": 20,
    "vegetable": 21,
    "vehicle": 18,
}


@pytest.fixture
def assets(tmp_path, monkeypatch) -> Path:
    """A copy of the assets that a test may damage."""
    copy = tmp_path / "assets"
    shutil.copytree(data.ASSETS, copy)
    monkeypatch.setattr(data, "ASSETS", copy)
    return copy


def pictures() -> list[dict[str, str]]:
    with (data.ASSETS / "pictures.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def test_importing_is_light():
    code = (
        "import sys, course_utils.data, course_utils.models;"
        "print({'torch', 'torchvision', 'numpy', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# What comes with the course


def test_every_file_has_its_checksum_and_no_other_is_named():
    lines = (data.ASSETS / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    suffixes = {".jpg", ".npz", ".csv"}
    files = {path for path in data.ASSETS.rglob("*") if path.suffix in suffixes}
    assert set(sums) == {path.relative_to(data.ASSETS).as_posix() for path in files}
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert sums[path.relative_to(data.ASSETS).as_posix()] == digest


def test_the_list_of_pictures_names_every_picture_once():
    files = [row["file"] for row in pictures()]
    on_disk = {path.relative_to(data.ASSETS).as_posix() for path in data.ASSETS.rglob("*.jpg")}
    assert len(files) == len(set(files))
    assert set(files) == on_disk


def test_every_picture_has_an_origin_a_credit_and_a_licence_whose_text_is_here():
    carried = {"GPL-2.0-or-later": "GPL-2.0.txt", "GFDL-1.2-or-later": "GFDL-1.2.txt"}
    by_address = {"CC-BY-2.5", "CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC0-1.0", "public domain"}
    readme = (data.ASSETS / "README.md").read_text(encoding="utf-8")
    for row in pictures():
        assert row["origin"], row
        assert row["credit"], row
        assert row["licence"] in carried or row["licence"] in by_address, row
        assert row["licence"] in readme
    for text in carried.values():
        assert (data.ASSETS / "licences" / text).stat().st_size > 10_000


def test_the_assets_stay_small():
    size = sum(path.stat().st_size for path in data.ASSETS.rglob("*") if path.is_file())
    assert size < 3.6e6


# Loading


def test_stamps_are_as_documented():
    stamps = data.load_stamps()
    assert stamps.images.dtype == torch.uint8
    assert stamps.images.shape == (240, 3, 128, 128)
    assert stamps.images.is_contiguous()
    assert stamps.labels.dtype == torch.int64
    assert stamps.classes == tuple(COUNTS)
    assert stamps.labels.bincount().tolist() == list(COUNTS.values())
    assert len(stamps.captions) == 240
    assert all(stamps.captions)


def test_near_twins_share_a_group_and_all_others_have_their_own():
    stamps = data.load_stamps()
    assert stamps.groups.dtype == torch.int64
    sizes = stamps.groups.bincount()
    assert len(sizes) == 179
    assert sizes[sizes > 1].sum() == 101  # stated in the assets' README
    assert sizes.max() == 5
    for word, count in {"gnu": 4, "apple.": 4, "traffic light": 3, "Tamworth": 2, "cep": 3}.items():
        same = [i for i, caption in enumerate(stamps.captions) if word in caption]
        assert len(same) >= count, word
        assert len(set(stamps.groups[same].tolist())) == 1, word
    with_class = torch.stack([stamps.groups, stamps.labels]).unique(dim=1)
    assert with_class.shape[1] == len(sizes)  # no group in two classes


def test_imagenet_names_are_names_of_imagenet_classes():
    stamps = data.load_stamps()
    known = set(models.imagenet_classes())
    assert len(stamps.imagenet) == 240
    assert all(names <= known for names in stamps.imagenet)
    assert sum(1 for names in stamps.imagenet if not names) == 149  # stated in Stamps


def test_a_picture_its_label_and_its_caption_belong_together():
    stamps = data.load_stamps()
    of = {caption: i for i, caption in enumerate(stamps.captions)}
    zebra, stop = of["A zebra."], of["A “Stop” sign."]
    assert stamps.classes[stamps.labels[zebra]] == "mammal"
    assert stamps.imagenet[zebra] == {"zebra"}
    assert stamps.classes[stamps.labels[stop]] == "roadsign"
    # Red, green, blue in this order: a stop sign's coloured pixels are red.
    red, green, blue = stamps.images[stop].float()
    assert ((red > 150) & (green < 80) & (blue < 80)).float().mean() > 0.3
    # White paper in the corners.
    assert stamps.images[:, :, 0, 0].min() > 240


def test_two_loads_are_equal():
    first, second = data.load_stamps(), data.load_stamps()
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.labels, second.labels)


@pytest.mark.parametrize("name", ["cat", "coffee", "rocket"])
def test_photographs_are_as_documented(name):
    photograph = data.load_photograph(name)
    assert photograph.dtype == torch.uint8
    assert photograph.shape[:2] == (3, 256)


def test_an_unknown_photograph_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no photograph 'dog'. There are: cat, coffee, rocket"):
        data.load_photograph("dog")


def test_verification_is_cheap():
    names = [row["file"] for row in pictures()] + ["squeezenet1_1.npz"]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        data.read_assets(*names)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1  # about 0.006 on one core


# Damage


def truncate(assets: Path) -> None:
    path = assets / "stamps/mammal/zebra.jpg"
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(assets: Path) -> None:
    path = assets / "stamps/mammal/zebra.jpg"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(assets: Path) -> None:
    (assets / "stamps/mammal/zebra.jpg").write_bytes(b"")


def remove(assets: Path) -> None:
    (assets / "stamps/mammal/zebra.jpg").unlink()


def swap(assets: Path) -> None:
    one, other = assets / "stamps/mammal/zebra.jpg", assets / "stamps/vehicle/747.jpg"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def replace_by_a_folder(assets: Path) -> None:
    (assets / "stamps/mammal/zebra.jpg").unlink()
    (assets / "stamps/mammal/zebra.jpg").mkdir()


def relabel(assets: Path) -> None:
    path = assets / "pictures.csv"
    path.write_bytes(path.read_bytes().replace(b"mammal/zebra", b"bird/zebra"))


def convert_line_endings(assets: Path) -> None:
    path = assets / "pictures.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def cut_the_checksums(assets: Path) -> None:
    path = assets / "SHA256SUMS"
    path.write_bytes(path.read_bytes()[:5000])


def garble_the_checksums(assets: Path) -> None:
    (assets / "SHA256SUMS").write_bytes(b"\xff\x00 no text at all")


def remove_the_checksums(assets: Path) -> None:
    (assets / "SHA256SUMS").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, r"zebra\.jpg is damaged"),
        (flip_a_bit, r"zebra\.jpg is damaged"),
        (empty, r"zebra\.jpg is damaged"),
        (remove, r"zebra\.jpg is missing"),
        (swap, r"zebra\.jpg is damaged"),
        (replace_by_a_folder, r"zebra\.jpg can't be read"),
        (relabel, r"pictures\.csv is damaged"),
        (convert_line_endings, r"pictures\.csv is damaged"),
        (cut_the_checksums, r"\.jpg is damaged: .* SHA256SUMS says nothing about it"),
        (garble_the_checksums, r"pictures\.csv is damaged"),
        (remove_the_checksums, r"SHA256SUMS is missing"),
    ],
)
def test_damaged_stamps_are_refused(assets: Path, damage: Callable[[Path], None], message: str):
    damage(assets)
    with pytest.raises(data.DataError, match=message) as refused:
        data.load_stamps()
    assert "git checkout" in str(refused.value)
    assert "install the course again" in str(refused.value)


def test_damaged_weights_are_refused(assets: Path):
    path = assets / "squeezenet1_1.npz"
    content = bytearray(path.read_bytes())
    content[1_000_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=r"squeezenet1_1\.npz is damaged"):
        models.squeezenet()
    path.unlink()
    with pytest.raises(data.DataError, match=r"squeezenet1_1\.npz is missing"):
        models.squeezenet()


def test_a_damaged_photograph_is_refused(assets: Path):
    (assets / "photographs/cat.jpg").write_bytes(b"not a JPEG")
    with pytest.raises(data.DataError, match=r"cat\.jpg is damaged"):
        data.load_photograph("cat")
    data.load_photograph("coffee")  # what is whole stays usable


def test_a_notebook_shows_the_message_and_no_traceback(assets: Path):
    remove(assets)
    cell = f"from course_utils import data; data.ASSETS = data.Path({str(assets)!r})"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", f"{cell}; data.load_stamps()"],
        capture_output=True,
        text=True,
    )
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert "zebra.jpg is missing. Restore it with" in shown
    assert "Traceback" not in shown
    assert "_read" not in shown


# Splitting


@given(
    labels=st.lists(st.integers(0, 4), min_size=2, max_size=60),
    per_class=st.integers(1, 10),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_split_takes_as_many_of_each_class_and_loses_nothing(labels, per_class, seed):
    y = torch.tensor(labels)
    if y.bincount()[y.unique()].min() <= per_class:
        with pytest.raises(ValueError, match="per_class must be between"):
            data.split_per_class(y, per_class, seed)
        return
    train, test = data.split_per_class(y, per_class, seed)
    assert sorted(train.tolist() + test.tolist()) == list(range(len(labels)))
    assert all((y[train] == label).sum() == per_class for label in y.unique())


def test_a_split_depends_on_its_seed_alone():
    y = data.load_stamps().labels
    train, test = data.split_per_class(y, 10, seed=0)
    assert (len(train), len(test)) == (80, 160)
    torch.manual_seed(1234)
    assert torch.equal(train, data.split_per_class(y, 10, seed=0)[0])
    assert not torch.equal(train, data.split_per_class(y, 10, seed=1)[0])


@pytest.mark.parametrize("per_class", [0, -1, 18, 19])
def test_a_split_that_can_not_be_says_why(per_class):
    y = data.load_stamps().labels
    with pytest.raises(ValueError, match="examples, so per_class must be between 1 and"):
        data.split_per_class(y, per_class, seed=0)


@given(
    examples=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=2, max_size=60),
    per_class=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_group_is_ever_on_both_sides(examples, per_class, seed):
    y = torch.tensor([label for label, _ in examples])
    groups = torch.tensor([10 * label + group for label, group in examples])
    try:
        train, test = data.split_per_class(y, per_class, seed, groups)
    except ValueError:  # what is refused, and with which words, the tests below say
        return
    assert sorted(train.tolist() + test.tolist()) == list(range(len(y)))
    assert all((y[train] == label).sum() == per_class for label in y.unique())
    assert not set(groups[train].tolist()) & set(groups[test].tolist())


@given(labels=st.lists(st.integers(0, 3), min_size=2, max_size=60), seed=st.integers(0, 2**32 - 1))
def test_groups_of_one_change_nothing(labels, seed):
    y = torch.tensor(labels)
    if y.bincount()[y.unique()].min() < 3:
        return
    plain, grouped = (
        data.split_per_class(y, 2, seed, groups) for groups in (None, torch.arange(len(y)))
    )
    assert torch.equal(plain[0], grouped[0])
    assert torch.equal(plain[1], grouped[1])


def test_a_split_of_the_stamps_by_groups_is_always_possible():
    stamps = data.load_stamps()
    for seed in range(200):
        train, test = data.split_per_class(stamps.labels, 10, seed, stamps.groups)
        assert stamps.labels[train].bincount().tolist() == [10] * 8
        assert not set(stamps.groups[train].tolist()) & set(stamps.groups[test].tolist())


def test_the_split_without_groups_is_the_one_that_it_always_was():
    y = data.load_stamps().labels
    train, _ = data.split_per_class(y, 10, seed=0)
    assert hashlib.sha256(str(train.tolist()).encode()).hexdigest()[:16] == "ee452e315e010f61"


def test_whole_groups_that_can_not_give_the_number_are_refused():
    y, groups = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), torch.tensor([0, 0, 1, 1, 2, 3, 4, 5])
    with pytest.raises(ValueError, match=r"Class 0: whole groups gave 2 .* not 3\. Take another"):
        data.split_per_class(y, 3, 0, groups)


def test_a_group_in_two_classes_is_refused():
    y, groups = torch.tensor([0, 0, 1, 1]), torch.tensor([7, 1, 7, 2])
    with pytest.raises(ValueError, match=r"Group 7 has examples of class 0 and of another one"):
        data.split_per_class(y, 1, 0, groups)
