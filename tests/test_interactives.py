"""The Python side of the explorers of lectures 2 and 3; tests/browser has their browser side.

And how every interactive's files become one script.
"""

from __future__ import annotations

import re
import subprocess

import pytest
import torch
import traitlets

from course_utils import interactives
from course_utils.arithmetic import Conv, Dense, trace
from course_utils.interactives import ArchitectureTracer, ConvolutionExplorer
from course_utils.interactives.convolution import LIMITS
from course_utils.interactives.parts import FOLDER


def test_python_reads_the_settings_as_a_layer():
    explorer = ConvolutionExplorer(size=9, kernel=3, stride=2, padding=1, channels=4, filters=6)
    assert explorer.conv == Conv(6, 3, stride=2, padding=1, dilation=1)
    assert trace((explorer.channels, 9, 9), [explorer.conv])[1].shape == (6, 5, 5)


@pytest.mark.parametrize("name", LIMITS)
def test_a_setting_out_of_range_is_refused_by_name(name):
    for wrong in (LIMITS[name][0] - 1, LIMITS[name][1] + 1):
        with pytest.raises(traitlets.TraitError, match=f"'{name}' trait"):
            ConvolutionExplorer(**{name: wrong})


def test_readers_without_widgets_are_told_what_to_do():
    assert "run this cell in JupyterLab" in repr(ConvolutionExplorer())


def test_its_files_are_there_and_ask_for_nothing_from_the_network():
    explorer = ConvolutionExplorer()
    for text in (str(explorer._esm), str(explorer._css)):
        assert len(text) > 1000
        assert "http" not in text


# The architecture tracer

ROWS = trace((3, 9, 9), [Conv(4, 3, stride=2), Dense(5)])
PICTURE = torch.zeros(3, 16, 16, dtype=torch.uint8)


def test_the_tracer_sends_what_the_table_says():
    tracer = ArchitectureTracer({"small": ROWS}, PICTURE, layer=1)
    assert (tracer.network, tracer.layer, tracer.row, tracer.column) == ("small", 1, 8, 8)
    shown = ("kind", "size", "channels", "parameters", "macs", "activations", "sees", "jump")
    assert [[row[name] for name in shown] for row in tracer._networks["small"]] == [
        ["input", 9, 3, 0, 0, 243, 1, 1],
        ["conv", 4, 4, 112, 1728, 64, 3, 2],
        ["dense", 1, 5, 325, 320, 5, 9, 2],
    ]
    assert "run this cell in JupyterLab" in repr(tracer)
    assert all("http" not in str(text) for text in (tracer._esm, tracer._css))


@pytest.mark.parametrize(
    ("networks", "picture", "message"),
    [
        ({}, PICTURE, "at least one network"),
        ({"wide": trace((3, 9, 8), [])}, PICTURE, "'wide' takes inputs of shape .3, 9, 8."),
        ({"small": ROWS}, PICTURE / 255, "must be uint8"),
        ({"small": ROWS}, PICTURE[:, :8], "must be uint8 .3, S, S., not .* .3, 8, 16.: crop it"),
    ],
)
def test_the_tracer_refuses_what_it_cannot_draw(networks, picture, message):
    with pytest.raises(ValueError, match=message):
        ArchitectureTracer(networks, picture)


# One script for each

FILES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js")}
EXPORT = re.compile(r"^export (?:const|function) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("name", interactives.__all__)
def test_its_files_become_one_script_that_parses_and_imports_nothing(name, tmp_path):
    script = str(getattr(interactives, name)._esm)
    assert not re.search(r"^\s*import\b", script, re.MULTILINE)
    assert script.count("export default") == 1
    assert script.count(FILES["shared.js"]) == 1
    module = tmp_path / "script.mjs"
    module.write_text(script, encoding="utf-8")
    # A name that stands twice is refused, too.
    done = subprocess.run(["node", "--check", module], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_file_is_in_a_script_and_is_short():
    scripts = [str(getattr(interactives, name)._esm) for name in interactives.__all__]
    for name, text in FILES.items():
        own = text.rpartition('.js";\n')[2]  # what follows its imports
        assert any(own in script for script in scripts), name
        assert len(text.splitlines()) < 400, name


def test_what_is_shared_is_used_by_two_at_least():
    for name in EXPORT.findall(FILES["shared.js"]):
        users = [text for text in FILES.values() if re.search(rf"\b{name}\b", text)]
        assert len(users) > 2 or name == "keepKeys", name  # shared.js itself, and two
