# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Convolution arithmetic
#
# How large is the output? How many parameters? How much of the photograph does one number
# depend on? At the end of this lecture you can answer all three with pencil and paper.
#
# **You will be able to**
#
# - compute one number of a convolution by hand: products, their sum, a bias;
# - compute the output size of any convolution or pooling layer, and say why some settings fail;
# - name three rules for rounding, and say which one your library uses;
# - count parameters and multiply-adds, and compare them with a dense layer's;
# - find the receptive field of a unit in a stack of layers, and measure it;
# - explain why so many networks are built of 3×3 kernels, and what that costs.
#
# **Time**: 75 minutes, with the explorers. **You need**: tensors and `torch.nn` layers.
# **Exercise**: `ps2_conv_arithmetic`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (experts disagree),
# *rule of thumb* (often true; check it). Words that you forget are in the [glossary](glossary.md).
#
# **Where we are.** Lecture 1 brought the picture to the first layer. This lecture looks into that
# layer. It computes what comes out, and how much it costs. Lecture 3 stacks such layers.
#
# **Before you begin**, three questions about lecture 1. Answer them before you open the fold.
#
# 1. Why must all pictures of a batch have one size?
# 2. Red and blue are swapped. Which error message do you get?
# 3. You augment pictures first and split them afterwards. What is wrong?
#
# <details><summary>Answers</summary>
#
# 1. A batch is one tensor, and a tensor has one shape.
# 2. None. The shapes fit, and only the answers get worse.
# 3. A test picture's changed copy may be among the training pictures: the accuracy is too high.
#
# </details>

# %%
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.arithmetic import Conv, Dense, Pool, ShapeError
from course_utils.arithmetic import output_size, same_padding, table, trace
from course_utils.data import load_photograph
from course_utils.interactives import ConvolutionStepper
from course_utils.plots import Grid, show_bars, show_graph, show_grids, show_lines, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## What a convolution computes
#
# To a computer an image is a grid of numbers. A **kernel** is a small grid of numbers, too. These
# numbers are called its *weights*. Put the kernel on a part of the image. Multiply each pixel by
# the weight above it, and add up the products. The sum is **one** number of the output.
#
# This image is dark on the left and bright on the right. The kernel has −1 on its left and 1 on its
# right.

# %%
scene = torch.tensor([[0, 0, 9, 9, 9]] * 4)
edge_kernel = torch.tensor([[-1, 0, 1]] * 3)

window = scene[:3, :3]
print("products:", (window * edge_kernel).tolist())
print("their sum:", (window * edge_kernel).sum().item())

# %% [markdown]
# Only the bright column counts, because the other pixels are 0. Now slide the kernel one step to
# the right, and multiply and add again. At the end of the row, go one row down. PyTorch does it all
# in one call. `conv2d` wants tensors with the axes (images, channels, rows, columns). `[None,
# None]` adds the first two, and `[0, 0]` takes them away again.

# %%
edge_map = F.conv2d(scene[None, None].float(), edge_kernel[None, None].float())[0, 0]
print(edge_map.int().tolist())

# %% folded=true
show_grids(
    [
        Grid("image", (4, 5), {"window": ([0, 1, 2], [0, 1, 2])}, scene.tolist()),
        Grid("kernel", (3, 3), {}, edge_kernel.tolist()),
        Grid("output", (2, 3), {"window": ([0], [0])}, edge_map.int().tolist()),
    ],
    alt="A 4×5 image, two columns of 0 and three of 9; a 3×3 kernel with columns −1, 0 and 1; and "
    "the 2×3 output. In both of its rows stand 27, 27 and 0.",
)

# %% [markdown]
# The output is large where the image changes from dark to bright, and 0 where nothing changes.
# Where an image changes from bright to dark, the output is negative. So this kernel finds
# **edges**. The output is called a **feature map**: it shows where the feature (here: an edge) is.
# Each number of a feature map is also called a **unit**.
#
# (Mathematicians turn the kernel by 180° first, and call our operation *cross-correlation*.
# Libraries don't turn it.)

# %%
ask("sign_of_an_edge")

# %% [markdown]
# The same nine weights on a photograph. We show how large each number is, without its sign, so that
# both kinds of edges are bright.

# %%
coffee = load_photograph("coffee").float().mean(dim=0) / 255
edges = F.conv2d(coffee[None, None], edge_kernel[None, None].float())[0]

# %% folded=true
show_pictures(
    {
        "photograph, in grey": coffee.expand(3, -1, -1),  # three equal channels: grey
        "its feature map (without the sign)": edges.abs().expand(3, -1, -1),
    },
    alt="A cup of coffee on a table from above, in grey, and its feature map: dark, with bright "
    "lines where the photograph has vertical edges, as on the left and right sides of the saucer.",
    columns=2,
    inches=4,
)

# %% [markdown]
# **Think.** In the feature map you can't see the upper and the lower edge of the saucer. Why?
#
# <details><summary>An answer</summary>
#
# The kernel compares the left with the right. At a horizontal edge both are equally bright, so the
# products cancel. Turn the kernel by 90°: it finds horizontal edges and misses the vertical ones.
#
# </details>
#
# In a network nobody chooses these weights by hand. They are *learned*. But after training, many
# kernels of the first layer find edges, like this one.
#
# ### ReLU
#
# After a convolution a network usually sets all negative numbers to 0: $\max(0, x)$. You know this
# **activation function** from lecture 0: **ReLU**. An activation function is also called a
# *non-linearity*. Without it, two convolutions in a row would be no more than a single larger
# convolution, because sums of products of sums are again sums of products.

# %%
after_relu = edges.relu()
print(f"before: {edges.min():.1f} to {edges.max():.1f}, after: {after_relu.min():.1f} to", end=" ")
print(f"{after_relu.max():.1f}; {(after_relu == 0).float().mean():.0%} of the numbers are 0")

# %% folded=true
x = torch.linspace(-3, 3, 61)
show_lines(
    {"ReLU": {"max(0, x)": (x, x.relu(), "-")}},
    alt="The graph of ReLU: 0 for all negative numbers, and the line y = x for the positive ones.",
)
show_pictures(
    {
        "before ReLU, 0 is grey": (0.5 + edges / 2).expand(3, -1, -1),
        "after ReLU, 0 is black": after_relu.expand(3, -1, -1),
    },
    alt="The map of the coffee before and after ReLU. Before, edges from dark to bright are light "
    "and those from bright to dark are black, on grey. After, only the first kind is left.",
    columns=2,
    inches=4,
)

# %% [markdown]
# ### Through all channels
#
# A colour image has three channels, and a layer deep in a network may have hundreds. So we take a
# kernel for **each** input channel. These kernels together, with one number more, the **bias**, are
# called a **filter**. Its kernels are also called its *slices*. The products of all slices are
# added into one sum, and the bias is added at the end, once. So one filter gives one feature map,
# however many channels come in.
#
# Run the next cell and press *Next product*. Before each press, say which two numbers are
# multiplied next.

# %%
two_channels = [
    [[1, 2, 0, 1], [0, 3, 1, 2], [2, 0, 1, 0], [1, 1, 0, 2]],
    [[0, 1, 1, 0], [2, 0, 0, 1], [1, 1, 2, 0], [0, 2, 1, 1]],
]
filter_weights = [[[1, 0], [0, -1]], [[0, 2], [1, 0]]]

stepper = ConvolutionStepper(two_channels, filter_weights, bias=1)
stepper

# %% [markdown]
# 1. How many products make one output number, and how many numbers has the output?
# 2. Which weights does the second output use?
# 3. What would change if the bias were 0?
#
# <details><summary>Answers</summary>
#
# 1. Two channels times 2×2 weights: 8 products. The output has 3×3 numbers.
# 2. The same as the first: a filter's weights are the same at every place.
# 3. Each number of the output would be smaller by 1.
#
# </details>
#
# PyTorch agrees with what you stepped through:

# %%
x, weight = torch.tensor([two_channels]), torch.tensor([filter_weights])
F.conv2d(x.float(), weight.float(), bias=torch.tensor([1.0]))[0, 0].int()

# %%
ask("products_of_one_output")

# %% [markdown]
# ## What convolution keeps, and what it saves
#
# Two things make convolution useful for images. It **keeps position**: what is on the left of the
# image is on the left of the feature map. And it **saves parameters**: the same few weights are
# used for the whole image. We check both.
#
# Position first. Here is a dark image with one bright square. We move the square three rows down
# and four columns to the right, and convolve both images with the same random kernel.

# %%
image = torch.zeros(1, 1, 14, 14)
image[..., 3:6, 3:6] = 1
moved = torch.roll(image, shifts=(3, 4), dims=(2, 3))

kernel = torch.randn(1, 1, 3, 3)
map_of_image, map_of_moved = F.conv2d(image, kernel), F.conv2d(moved, kernel)
torch.allclose(map_of_moved, torch.roll(map_of_image, shifts=(3, 4), dims=(2, 3)))

# %% folded=true
both = {"image": image, "its map": map_of_image, "moved": moved, "its map too": map_of_moved}
show_pictures(
    {name: (x[0].abs() / x.abs().max()).expand(3, -1, -1) for name, x in both.items()},
    alt="An image with a white square and its map; the same with the square moved down and to the "
    "right, and its map: the same pattern, moved down and to the right in the same way.",
    columns=4,
)

# %% [markdown]
# The feature map moved by exactly as much as the image did: convolution is **equivariant** to
# translation, that is, to shifts (settled). This is true only if the window moves by one pixel at a
# time (*stride* 1, see below). (With stride 4 it is true for shifts by
# multiples of 4 pixels.) And it isn't true at the border, where a part leaves the image.
#
# Now we count how many parameters it saves. In a **dense layer** every output is a weighted sum of
# *all* inputs, with weights of its own. A dense layer isn't equivariant at all: each weight belongs
# to one place, so what it learned for one place says nothing about another.

# %% folded=true
pixels = {f"{side} {i}": (i + shift, 1.4) for side, shift in (("a", 0), ("b", 6)) for i in range(5)}
show_graph(
    pixels | {"a unit": (2, 0), "b unit": (8, 0)},
    {(f"a {i}", "a unit"): ("", "") for i in (1, 2, 3)}
    | {(f"b {i}", "b unit"): ("", "") for i in range(5)},
    alt="Twice a row of pixels with a unit above. Left, a convolution's unit: arrows from three "
    "neighbouring pixels only. Right, a dense layer's unit: arrows from all pixels.",
    labels=dict.fromkeys(pixels, "") | {"a unit": "conv", "b unit": "dense"},
)

# %% [markdown]
# AlexNet begins with 96 filters of 11×11 on a 227×227 colour image; the window moves
# by 4 pixels at a time (stride 4). What would a dense layer with
# as many outputs cost?
#
# `Conv`, `Dense` and `Pool` only *describe* a layer; they compute no image. `trace(shape, layers)`
# goes through the layers on paper. It returns a row for the input (number 0) and a row for each
# layer. `row.shape` is the size of the output, `row.parameters` the number of weights and biases,
# `row.activations` how many numbers the output has, and `row.macs` the multiply-adds (explained
# below).

# %%
photograph = (3, 227, 227)
conv1 = trace(photograph, [Conv(96, kernel=11, stride=4)])[1]
dense = trace(photograph, [Dense(conv1.activations)])[1]
print(f"{conv1.activations:,} outputs, for {conv1.parameters:,} or {dense.parameters:,} parameters")
print(f"The dense layer's would fill {dense.parameters * 4 / 1e9:.1f} gigabytes")

# %% [markdown]
# Two ideas make the difference. Each unit looks at a small window only (*local connections*), and
# all units of a map use the same weights (*shared weights*). Without shared weights every output
# would need its own kernel and its own bias:

# %%
one_filter = conv1.parameters // 96  # 11·11·3 weights and 1 bias
print(f"with sharing   : 96 × {one_filter} = {conv1.parameters:,}")
print(f"without sharing: {conv1.activations:,} × {one_filter} = {conv1.activations * one_filter:,}")

# %% [markdown]
# **Think.** Shared weights look for the same thing at every place. For which kind of images is this
# useful? For which kind isn't it?
#
# <details><summary>An answer</summary>
#
# It is useful if the same feature, for instance an edge, can be anywhere. In passport photographs
# the eyes are always at the same place. There a kernel for each place could be better.
#
# </details>

# %% [markdown]
# ## A window slides
#
# Put a window of width $k$ on an input of width $i$ and slide it one step at a time. Each position
# where the window fits gives one output number. Let us count them.

# %%
i, k = 7, 3
starts = [start for start in range(i) if start + k <= i]
print(f"the window can start at {starts}: {len(starts)} places")

# %%
row = trace((1, 7, 7), [Conv(1, kernel=3)])[1]
print("unit (1, 2) sees rows and columns", row.sees(1, 2))

# %% folded=true
show_grids(
    [
        Grid("input 7×7", (7, 7), {"window": row.sees(1, 2)}),
        Grid("output 5×5", (5, 5), {"output": (range(5), range(5)), "window": ([1], [2])}),
    ],
    alt="A 7×7 input with a 3×3 window whose corner is in row 1, column 2; beside it the 5×5 "
    "output, where the unit in row 1, column 2 is marked: it is computed from that window.",
)

# %% [markdown]
# The last start is $i - k$, and we count from zero, so there are $i - k + 1$ places. Don't forget
# the **+ 1**. Between the first and the last post of a fence there is one gap less than there are
# posts; in the same way there is one position more than there are steps. To forget it is a common
# mistake.
#
# The picture shows two more things. The output is smaller than the input. And a corner pixel is in
# one window only, but a pixel in the middle is in nine windows.

# %%
visits = torch.zeros(7, 7, dtype=torch.int)
for top in starts:
    for left in starts:
        visits[top : top + k, left : left + k] += 1

# %% folded=true
show_grids(
    [Grid("windows that see each pixel", (7, 7), numbers=visits.tolist())],
    alt="A 7×7 grid of counts: 1 in the corners, rising to 9 in the central 3×3 block.",
)

# %% [markdown]
# ## Padding
#
# To keep the size, put $p$ rings of zeros around the image. This is called **padding**. The window
# then slides over a row of $i + 2p$ numbers, and the size becomes $i + 2p - k + 1$.
#
# For an odd kernel, $p = (k-1)/2$ gives the input's size back. That choice is called *same*
# padding; no padding at all is called *valid*, because every number in a window is a real pixel.

# %%
for k in (1, 3, 5, 7):
    p = (k - 1) // 2
    same = output_size(32, k, padding=p)
    print(f"kernel {k}: 32 becomes {output_size(32, k)} (valid), or {same} with padding {p}")

# %% folded=true
row = trace((1, 5, 5), [Conv(1, kernel=3, padding=1)])[1]
show_grids(
    [
        Grid("input 5×5, padding 1", (5, 5), {"window": row.sees(0, 0)}, padding=1),
        Grid("output 5×5", (5, 5), {"output": (range(5), range(5)), "window": ([0], [0])}),
    ],
    alt="A 5×5 input inside one ring of zeros. The window of the output's corner unit covers five "
    "zeros of the padding and four pixels. The output is 5×5 as well.",
)

# %% [markdown]
# Padding has a side effect. For the corner unit, five of the nine numbers are zeros that aren't
# part of the photograph. From these zeros a network can learn where the border is.

# %% [markdown]
# ## Strides, and AlexNet by hand
#
# With stride $s$ the window moves $s$ positions at a time. We compute AlexNet's first layer
# step by step: input 227, kernel 11, stride 4, no padding. First with stride 1:

# %%
print("valid, stride 1: 227 − 11 + 1 =", output_size(227, kernel=11))

# %% [markdown]
# There are 217 positions: the first position, and 216 further ones. With stride 4 we use only every
# fourth: $216 / 4 = 54$ steps, **plus the first position**.

# %%
steps = (227 - 11) / 4
print(f"216 / 4 = {steps:.0f} steps, + 1 = {steps + 1:.0f}")
print("with 96 filters:", nn.Conv2d(3, 96, 11, stride=4)(torch.zeros(1, *photograph)).shape)

# %% [markdown]
# So the output is 55×55×96. PyTorch gives the same, but writes the channels first. In general, and
# for any padding,
#
# $$o = \frac{i + 2p - k}{s} + 1.$$
#
# Now do it yourself, with another input. Practice questions like this one answer at once; try as
# often as you like.

# %%
ask("alexnet_conv1_width")

# %% [markdown]
# ### Why 224 fails
#
# The AlexNet paper says that its images are 224×224. Put 224 into the formula. (With `exact=True`
# the function stops with an error if the division has a remainder.)

# %%
print(f"(224 − 11) / 4 = {(224 - 11) / 4}")
try:
    output_size(224, kernel=11, stride=4, exact=True)
except ShapeError as error:
    print(error)

# %% [markdown]
# The result 53.25 isn't a whole number of steps. After 53 steps one column is left at the right
# edge, and no window ever covers it:

# %% folded=true
last_start = 4 * 53
seen = range(last_start - 209, last_start + 11 - 209)  # the figure begins at column 209
show_grids(
    [Grid("columns 209 to 223 of 224", (1, 15), {"window": ([0], seen), "left over": ([0], [14])})],
    alt="The last fifteen columns of a 224-pixel row. The last window covers columns 212 to 222; "
    "column 223, marked as left over, is in no window.",
)

# %% [markdown]
# The output would be 54 wide, but the paper's figure shows 55. So either the input is 227, or 224
# with padding: torchvision's AlexNet uses padding 2, and rounds down.

# %%
print("224, no padding:", output_size(224, 11, stride=4))
print("227, no padding:", output_size(227, 11, stride=4))
print("224, padding 2 :", output_size(224, 11, stride=4, padding=2))

# %% [markdown]
# ## When the steps don't fit: three rules
#
# What happens if the last window doesn't end at the edge? Libraries use three rules. Here
# $\lfloor x \rfloor$ means: round $x$ down, and $\lceil x \rceil$: round $x$ up. So
# $\lfloor 3.7 \rfloor = 3$ and $\lceil 3.2 \rceil = 4$.
#
# 1. **PyTorch** takes $\lfloor (i + 2p - k)/s \rfloor + 1$ and drops what is left over.
# 2. **Stanford's cs231n notes** say that such a setting isn't allowed. That is a good rule if you
#    design by hand.
# 3. **TensorFlow's SAME** always gives $\lceil i/s \rceil$ outputs, and adds as many zeros as it
#    needs. If the number of zeros is odd, the extra zero is at the *end*.

# %%
for i, k, s in ((227, 11, 4), (224, 11, 4), (224, 3, 2)):
    allowed = "allowed" if (i - k) % s == 0 else "not allowed"
    before, after = same_padding(i, k, s)
    tensorflow = output_size(i + before + after, k, s)
    print(f"input {i}, kernel {k}, stride {s}: PyTorch {output_size(i, k, s)}, cs231n {allowed},")
    print(f"    TensorFlow {tensorflow} ({before} zeros before, {after} after)")
print("the last, in PyTorch with padding=1:", output_size(224, kernel=3, stride=2, padding=1))

# %% [markdown]
# The last two lines are important if you move weights from one library to the other. The sizes
# agree, but TensorFlow puts a zero only *after* the image, and PyTorch puts zeros on *both* sides.
# So each of PyTorch's windows begins one pixel earlier. Here are the first columns:

# %% folded=true
columns = {"TensorFlow": ["p0", "p1", "p2", "p3", "p4"], "PyTorch": ["0", "p0", "p1", "p2", "p3"]}
show_grids(
    [
        Grid(f"{name}: first window", (1, 5), {"window": ([0], range(3))}, [pixels])
        for name, pixels in columns.items()
    ],
    alt="The first window of either library. TensorFlow's holds the first three pixels, and "
    "PyTorch's a zero and the first two pixels.",
)

# %% [markdown]
# PyTorch also has `padding="same"`, but only for stride 1:

# %%
try:
    nn.Conv2d(3, 96, kernel_size=11, stride=4, padding="same")
except ValueError as error:
    print("PyTorch:", error)

# %% [markdown]
# ## Dilation
#
# A *dilated* kernel has gaps between its weights: neighbouring weights are $d$ positions apart. So
# it sees a larger part of the image with the same number of weights. $k$ weights reach over $d(k-1)
# + 1$ positions. Put this number in place of $k$, and the formula is complete:
#
# $$o = \left\lfloor \frac{i + 2p - d(k-1) - 1}{s} \right\rfloor + 1.$$

# %% folded=true
show_grids(
    [
        Grid(f"dilation {d}", (9, 9), {"window": (range(0, 2 * d + 1, d), range(0, 2 * d + 1, d))})
        for d in (1, 2, 4)
    ],
    alt="Three 9×9 inputs with the nine weights of a 3×3 kernel. At dilation 1 they form a 3×3 "
    "block, at dilation 2 they spread over 5×5, at dilation 4 over 9×9.",
)

# %% [markdown]
# A dilated kernel is a larger kernel with zeros between its weights. Let us build it and compare:

# %%
small, noise = torch.randn(1, 1, 3, 3), torch.randn(1, 1, 12, 12)
spread = torch.zeros(1, 1, 5, 5)
spread[..., ::2, ::2] = small  # every second row and column
torch.allclose(F.conv2d(noise, small, dilation=2), F.conv2d(noise, spread), atol=1e-5)

# %% [markdown]
# Nine weights cover the same area as twenty-five, but they don't see the pixels in the gaps.

# %%
ask("same_padding")

# %% [markdown]
# ## Play
#
# This explorer shows everything so far in one picture. Drag the sliders, or drag the window itself
# (the arrow keys move it too). The buttons above the picture set examples. If you see an error
# instead of a picture, run the cell again.
#
# 1. Press *Keep the size*. Find two more kernels, with their padding, that leave 8×8 at 8×8.
# 2. Press *Left over*. Which two strides make the hatched strip disappear, and why only these?
# 3. Press *Impossible*. Change one slider so that the kernel fits. There are four ways.
# 4. What changes the multiply-adds but not the parameters?
#
# <details><summary>Answers</summary>
#
# 1. Each odd kernel with a padding of (kernel − 1) / 2, for instance 1×1 with 0 and 5×5 with 2.
# 2. 1 and 3: they divide (padded size − reach of the kernel), here 12 − 3 = 9. Then the last window
#    ends exactly at the border.
# 3. Larger input, smaller kernel, more padding, or smaller dilation: the kernel must fit.
# 4. Everything that changes the size of the output: input size, padding, stride, dilation.
#
# </details>

# %%
from course_utils.interactives import ConvolutionExplorer

explorer = ConvolutionExplorer(size=7, kernel=3, padding=1)
explorer

# %% [markdown]
# Python can read the settings. Change something above and run this cell again:

# %%
explored = trace((explorer.channels, explorer.size, explorer.size), [explorer.conv])
print(table(explored))

# %% [markdown]
# With $C$ input channels and $F$ filters there are $F(k^2 C + 1)$ **parameters**, because each
# filter reaches through *all* channels and has one bias.
#
# One multiplication and the addition after it are one **multiply-add**. Each weight is used once at
# every place of the output. So the number of multiply-adds is (weights without biases) × (places of
# the output): $F k^2 C \cdot o^2$. Unlike the parameters it grows with the image. ("FLOPs" in
# papers are sometimes multiply-adds and sometimes twice as many; ask which.)

# %%
ask("conv_parameters")

# %% [markdown]
# ## Max pooling
#
# **Max pooling** slides a window too, and keeps the largest number in it. The size follows the same
# formula. (PyTorch's pools can also round up: `ceil_mode`.) There is nothing to learn, so there are
# **no parameters**.

# %%
numbers = torch.tensor([[1, 3, 2, 0], [4, 2, 1, 5], [0, 1, 9, 2], [7, 0, 3, 8]])
pooled = F.max_pool2d(numbers[None, None].float(), kernel_size=2)[0, 0].int()
print(pooled.tolist())

# %% folded=true
show_grids(
    [
        Grid("4×4", (4, 4), {"window": (range(2), range(2))}, numbers=numbers.tolist()),
        Grid("after 2×2 max pool", (2, 2), {"window": ([0], [0])}, numbers=pooled.tolist()),
    ],
    alt="A 4×4 grid of numbers, rows 1 3 2 0, 4 2 1 5, 0 1 9 2 and 7 0 3 8, and its 2×2 max pool: "
    "4 and 5 above, 7 and 9 below. The first window is marked; its largest number is 4.",
)

# %% [markdown]
# Only a quarter of the numbers remains. So a dense layer after it needs fewer weights. Position is
# kept only roughly: inside each window it is lost. AlexNet pools with a 3×3 window and stride 2, so
# neighbouring windows overlap. (In the table, *sees* is the receptive field, the next section.)

# %%
print(table(trace(photograph, [Conv(96, 11, stride=4), Pool(3, stride=2)])))

# %% [markdown]
# **Think.** After pooling we know that the first window had a 4, but not where. Why can it be good
# to lose the position? When is it bad?
#
# <details><summary>An answer</summary>
#
# *Equivariant* means that the output moves with the input. *Invariant* means that the output
# doesn't change at all. A small shift often leaves the maximum unchanged, so the output is *a
# little* invariant to translation. How little in a whole network is *contested* (Azulay and Weiss,
# 2018; Zhang, 2019); lecture 4 measures it. It is bad if the position is part of the answer, as for
# boxes and masks.
#
# </details>

# %% [markdown]
# ## Receptive field
#
# The column *sees* in that table is the **receptive field**: the input positions that one output
# unit depends on. In the first 3×3 convolution a unit sees 3×3 pixels. In a second 3×3 convolution
# a unit sees 3×3 units of the first, and so all pixels that these nine units see: 5×5.

# %%
rows = trace((1, 9, 9), [Conv(1, 3), Conv(1, 3)])
print([row.receptive_field for row in rows])

# %% folded=true
show_grids(
    [
        Grid("input: 5×5 is seen", (9, 9), {"window": rows[2].sees(2, 2)}),
        Grid("after one 3×3", (7, 7), {"window": rows[1].sees(2, 2)}),
        Grid("after two: a 5×5 map", (5, 5), {"window": ([2], [2])}),
    ],
    alt="Three maps. The central unit of the 5×5 output depends on a 3×3 block of the 7×7 map "
    "before it, and that block on a 5×5 block of the 9×9 input.",
)

# %% [markdown]
# We can check the drawing. Change one pixel a little. If the unit changes, it depends on this
# pixel: the slope of the unit with respect to the pixel isn't 0. PyTorch gives all these slopes at
# once (`pixels.grad`). If all weights are 1, the slope is the number of ways (*paths*) from the
# pixel to the unit: a pixel that lies in three windows of the middle layer has three.

# %%
pixels = torch.ones(1, 1, 9, 9, requires_grad=True)
ones = torch.ones(1, 1, 3, 3)
output = F.conv2d(F.conv2d(pixels, ones), ones)
output[0, 0, 2, 2].backward()
paths = pixels.grad[0, 0].int()
columns_seen = (paths.sum(0) > 0).sum().item()  # in how many columns any pixel is seen
print("seen:", columns_seen, "columns of", paths.shape[1])

# %% folded=true
show_grids(
    [Grid("paths to the central unit", (9, 9), {"window": rows[2].sees(2, 2)}, paths.tolist())],
    alt="The 9×9 input with the number of paths from each pixel to the central output unit: zero "
    "outside the central 5×5 block; inside it 1 in the corners, rising to 9 in the middle.",
)

# %% [markdown]
# The central pixel has nine paths, a corner only one. So the middle of the receptive field counts
# most. The part that has most influence is called the *effective* receptive field. It is smaller
# than the whole receptive field (Luo and others, 2016). For an untrained network this is settled;
# training can make it larger, by how much depends on the network.
#
# Here is the rule. Number the layers $l = 1, 2, 3, \ldots$ Start with $r = 1$ pixel. Layer $l$ adds
# $d_l (k_l - 1)$ steps. One step of layer $l$ is as long as the strides of *all earlier* layers
# multiplied: $s_1 s_2 \cdots s_{l-1}$ pixels (for the first layer: 1 pixel). The sign $\prod$ means
# this product:
#
# $$r = 1 + \sum_l d_l\,(k_l - 1) \prod_{m<l} s_m.$$
#
# Example: 3×3 with stride 1, a 2×2 pool with stride 2, and 3×3 with stride 1 give $r = 1 + 2 \cdot
# 1 + 1 \cdot 1 + 2 \cdot 2 = 8$. So a stride or a pool makes the receptive field of all later
# layers grow faster.

# %%
flat = trace((3, 64, 64), [Conv(8, 3), Conv(8, 3), Conv(8, 3)])
pooling = trace((3, 64, 64), [Conv(8, 3), Pool(2), Conv(8, 3), Pool(2), Conv(8, 3)])
print("three 3×3           :", flat[-1].receptive_field)
print("with pools between  :", pooling[-1].receptive_field)
print(f"neighbouring units are {flat[-1].jump[0]} and {pooling[-1].jump[0]} pixels apart")

# %%
ask("stacked_field")

# %% [markdown]
# ## Why is 3×3 good enough?
#
# A stack of small kernels sees as much as one large kernel. Compare the cost, with $C = 64$
# channels in and out and no biases:

# %%
shape = (64, 56, 56)
stacks = {
    "one 5×5": trace(shape, [Conv(64, 5, padding=2, bias=False)]),
    "two 3×3": trace(shape, [Conv(64, 3, padding=1, bias=False)] * 2),
    "one 7×7": trace(shape, [Conv(64, 7, padding=3, bias=False)]),
    "three 3×3": trace(shape, [Conv(64, 3, padding=1, bias=False)] * 3),
}
print({name: rows[-1].receptive_field for name, rows in stacks.items()})
weights = {name: sum(row.parameters for row in rows) for name, rows in stacks.items()}
stored = {name: sum(row.activations for row in rows[1:]) for name, rows in stacks.items()}
print(weights)

# %% folded=true
show_bars(
    {"weights": weights, "activations to store": stored},
    alt="Two bar charts. Weights: one 5×5 102,400, two 3×3 73,728, one 7×7 200,704, three 3×3 "
    "110,592. Activations: 200,704 for one layer, twice and three times that for the stacks.",
)

# %% [markdown]
# The stack has **fewer weights** ($18C^2$ against $25C^2$, $27C^2$ against $49C^2$) and room for a
# ReLU after each layer. But it **stores more activations**, and training must keep them until the
# slopes are computed (settled, and often left out; lecture 5). In networks without large dense
# layers these stored numbers usually need most of the memory (*rule of thumb*). With large dense
# layers it can be the other way: lecture 3 calculates VGG.

# %%
ask("small_kernels")

# %% [markdown]
# Why not an even smaller kernel? A 1×1 kernel sees no neighbours; a 2×2 kernel has no centre, and
# shifts the map by half a pixel. 3×3 is the smallest with left, right, above, below and middle.
#
# It is only a **rule of thumb** that 3×3 is best (VGG, 2014), and today it is **contested**:
# ConvNeXt (2022) does well with 7×7. Its convolutions are *depthwise*: each filter looks at one
# channel only, not at all 64. So a large kernel is cheap:

# %%
dense_kernel = trace((64, 56, 56), [Conv(64, 7, padding=3, bias=False)])[1]
depthwise = trace((64, 56, 56), [Conv(64, 7, padding=3, groups=64, bias=False)])[1]
print(f"7×7 over all channels: {dense_kernel.parameters:,} weights")
print(f"7×7 on each channel  : {depthwise.parameters:,} weights")

# %% [markdown]
# ## Depth or channels? 3×3×3 over 128×128×5
#
# A scanner gives you five slices of 128×128. Are they the *channels* of an image, or the third
# *axis* of a volume?
#
# - **2-D convolution**: a 3×3 kernel reaches through all five slices at once.
# - **3-D convolution**: a 3×3×3 kernel slides along the slices too.

# %%
as_channels = trace((5, 128, 128), [Conv(1, 3)])[1]
as_depth = trace((1, 128, 128, 5), [Conv(1, (3, 3, 3))])[1]
for name, row in {"2-D": as_channels, "3-D": as_depth}.items():
    size = "×".join(map(str, row.shape[1:]))
    print(f"{name}: output {size}, {row.parameters} parameters, {row.macs:,} multiply-adds")

# %% [markdown]
# We check this with PyTorch. Its order is (batch, channels, depth, height, width).

# %%
volume = torch.zeros(1, 1, 5, 128, 128)
print("2-D, slices as channels:", tuple(nn.Conv2d(5, 1, 3)(volume[:, 0]).shape))
print("3-D                    :", tuple(nn.Conv3d(1, 1, 3)(volume).shape))

# %% [markdown]
# The 3-D kernel has *fewer* parameters ($3^3 + 1$ against $5 \cdot 3^2 + 1$), because it uses the
# same weights along the third axis as well. It does *more* work, because it is computed at three
# places along this axis. Choose by the data: share along depth if a pattern may appear at any depth
# (a vessel in a scan); don't if slice 1 means something else than slice 2 (red and green, say).
#
# **Think.** With a 5-slice input and a 3×3×5 kernel, how do the two layers differ?
#
# <details><summary>An answer</summary>
#
# They don't differ: along the depth the kernel fits at one place only. A 2-D convolution over
# channels *is* a 3-D one with a full-depth kernel.
#
# </details>

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots `...` in the next cell with your code. Run that cell and the cell below it,
# which checks your answer. Nothing is recorded.
#
# **1.** Which padding on each side keeps the size, for an odd kernel with stride 1?


# %%
def padding_that_keeps(kernel):
    """The padding on each side with which an odd kernel keeps the size; a whole number."""
    return ...  # your code here


# %%
got = [padding_that_keeps(kernel) for kernel in (1, 3, 5, 11)]
print("right" if got == [0, 1, 2, 5] else f"not yet: for 1, 3, 5 and 11 you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def padding_that_keeps(kernel):
#     return (kernel - 1) // 2
# ```
#
# </details>

# %% [markdown]
# **2.** A 2×2 pool with stride 2 halves the side, rounded down. How many such pools does it take
# until the side is at most `last`? Example: 224 → 112 → 56 → 28 → 14 → 7, so it takes five pools
# until the side is at most 7.


# %%
def pools_until(side, last):
    """How many 2×2 pools it takes until a map of this side is no larger than `last`."""
    return ...  # your code here


# %%
got = [pools_until(224, 7), pools_until(227, 13), pools_until(5, 8)]
asked = "for sides 224, 227, 5 and last 7, 13, 8"
print("right" if got == [5, 5, 0] else f"not yet: {asked} expected [5, 5, 0], got {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def pools_until(side, last):
#     pools = 0
#     while side > last:
#         side, pools = side // 2, pools + 1
#     return pools
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# | question | answer |
# |---|---|
# | output size | $o = \lfloor (i + 2p - d(k-1) - 1)/s \rfloor + 1$ (PyTorch) |
# | a remainder? | PyTorch drops it, cs231n refuses, TensorFlow SAME pads to $\lceil i/s \rceil$ |
# | parameters | $F(k^2 C + 1)$; pooling has none |
# | multiply-adds | $o^2 \cdot F k^2 C$ |
# | receptive field | $r = 1 + \sum_l d_l (k_l - 1) \prod_{m<l} s_m$ |
# | AlexNet's first layer | 227 → (227 − 11)/4 + 1 = 55 → 55×55×96 |
#
# **Key points**
#
# - Number of outputs = number of steps + 1.
# - Weights are shared: multiply-adds grow with the image, parameters don't.
# - Small kernels in a stack have fewer weights, more non-linearities, and more activations to
#   store.
# - Before you move weights between libraries, check how each library rounds and pads.
#
# **Now you:** in `ps2_conv_arithmetic` you write `output_size` and similar functions yourself.
#
# ### Sources
#
# - V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, 2016.
# - A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with deep convolutional
#   neural networks*, 2012: AlexNet.
# - Stanford CS231n, *Convolutional networks* (course notes): 227 and 224, stacks of 3×3.
# - A. Araujo, W. Norris and J. Sim, *Computing receptive fields of convolutional neural
#   networks*, 2019.
# - W. Luo, Y. Li, R. Urtasun and R. Zemel, *Understanding the effective receptive field in deep
#   convolutional neural networks*, 2016.
# - K. Simonyan and A. Zisserman, *Very deep convolutional networks for large-scale image
#   recognition*, 2014.
# - A. Azulay and Y. Weiss, *Why do deep convolutional networks generalize so poorly to small image
#   transformations?*, 2018; R. Zhang, *Making convolutional networks shift-invariant again*, 2019.
# - Z. Liu and others, *A ConvNet for the 2020s*, 2022: ConvNeXt.
