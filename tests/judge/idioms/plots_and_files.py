# ruff: noqa
# %% given
import copy
import inspect
import types
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
import matplotlib.pyplot as plt
from PIL import Image
from pathlib import Path
import os, json


# %% solution
def plot():
    plt.figure()
    plt.plot([1, 2], [3, 4], label="a")
    plt.title("T")
    plt.xlabel("x")
    plt.legend()


def figure():
    fig, ax = plt.subplots(1, 2)
    ax[0].bar([1, 2], [3, 4])
    return fig


def img():
    return Image.new("RGB", (4, 5), (255, 0, 0))


def size_of(image):
    return image.size, np.asarray(image).shape


def save(name):
    with open(name, "w") as f:
        f.write("saved")


def load(name):
    with open(name) as f:
        return f.read()


# %% test: title and labels
plot()
ax = plt.gca()
assert ax.get_title() == "T" and ax.get_xlabel() == "x"

# %% test: lines
plot()
line = plt.gca().get_lines()[0]
assert list(line.get_xdata()) == [1, 2] and line.get_ydata().tolist() == [3, 4]

# %% test: legend
plot()
assert [t.get_text() for t in plt.gca().get_legend().get_texts()] == ["a"]

# %% test: returned figure
f = figure()
assert len(f.axes) == 2 and len(f.axes[0].patches) == 2

# %% test: close
plt.close("all")
assert plt.get_fignums() == []
plot()
assert len(plt.get_fignums()) == 1
plt.close("all")

# %% test: image
i = img()
assert i.size == (4, 5) and i.mode == "RGB" and np.asarray(i).shape == (5, 4, 3)
assert i.getpixel((0, 0)) == (255, 0, 0) and isinstance(i, Image.Image)

# %% test: image as argument
assert size_of(Image.new("L", (3, 2))) == ((3, 2), (2, 3))

# %% test: read what the student wrote
save("out.txt")
assert open("out.txt").read() == "saved"
assert Path("out.txt").read_text() == "saved" and os.path.exists("out.txt")
assert Path("out.txt").exists() and not os.path.exists("nope.txt")

# %% test: exists, by pathlib
save("new1.txt")
assert Path("new1.txt").exists() and Path("new1.txt").is_file()
assert not Path("nope1.txt").exists()

# %% test: stat
save("new2.txt")
assert os.stat("new2.txt").st_size == 5 and Path("new2.txt").stat().st_size == 5
assert os.path.getsize("new2.txt") == 5 and os.access("new2.txt", os.R_OK)

# %% test: text by pathlib
save("new3.txt")
assert Path("new3.txt").read_text() == "saved" and os.path.isfile("new3.txt")

# %% test: list the folder
save("new4.txt")
assert "new4.txt" in os.listdir() and Path("new4.txt") in list(Path(".").iterdir())
assert [p.name for p in Path(".").glob("new4*.txt")] == ["new4.txt"]

# %% test: removed and written anew
save("new5.txt")
assert Path("new5.txt").exists()
Path("new5.txt").unlink()
assert not Path("new5.txt").exists()
save("new5.txt")
assert Path("new5.txt").read_text() == "saved"
os.remove("new5.txt")

# %% test: write for the student
with open("in.txt", "w") as f:
    f.write("hello")
assert load("in.txt") == "hello"

# %% test: json
Path("c.json").write_text(json.dumps({"a": 1}))
assert json.loads(load("c.json")) == {"a": 1}

# %% test: missing file
try:
    load("missing")
except FileNotFoundError:
    pass
else:
    raise AssertionError
